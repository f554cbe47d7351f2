//! Tests from outside: one binary, so that it links once.

mod door_zoom;
mod recorder;
