//! What a session found, as data, as JSON and as text.

pub mod model;
mod units;
