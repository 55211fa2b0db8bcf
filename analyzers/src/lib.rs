//! All of calltap that only thinks: events in, findings out.
//!
//! No I/O, no clock, no threads, no unsafe code. Every analyzer is generic over where events come
//! from and keeps memory in proportion to what is live, not to the length of the run.
//!
//! A [`session::Session`] holds an [`image::ImageLedger`] for each process image that runs; that
//! one hands each event to the ledgers it concerns: [`heap`], [`mappings`], [`descriptors`] and
//! [`latency`].
#![forbid(unsafe_code)]

pub mod allocation_latency;
pub mod arenas;
pub mod compare;
pub mod counts;
pub mod descriptors;
mod durations;
pub mod event;
mod hash;
pub mod heap;
pub mod image;
pub mod kernel;
pub mod latency;
pub mod life;
pub mod mappings;
pub mod outsized;
mod pairing;
mod place;
pub mod session;
