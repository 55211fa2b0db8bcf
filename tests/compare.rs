//! `calltap compare`: what it finds is what is there, and nothing else.

mod found;

mod agreement;
mod endings;
mod method;
mod services;
mod winners;
