//! The Zoom door.
