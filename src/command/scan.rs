//! Words and their places.
