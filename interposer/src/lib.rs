//! All of calltap that runs inside the target.
//!
//! The rules of a hook (each has a test):
//! it allocates nothing, locks nothing, formats nothing, cannot panic; `errno` on return is the real
//! function's; nothing is left behind across the real call; before the constructor has run and after
//! the reader has gone it only forwards.

mod attach;
mod bytes;
mod call;
mod confined;
mod definer;
mod full;
mod hooks;
mod image;
mod kernel;
mod own_memory;
mod real;
mod slot;
mod state;
mod tag;
mod text;
mod thread;
mod thread_id;
mod trace;
mod types;
mod unwind;

#[global_allocator]
static OWN_MEMORY: own_memory::OwnMemory = own_memory::OwnMemory;
