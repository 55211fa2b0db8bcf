//! System calls: what they are called, what their arguments are, and which of them are to be stopped.

mod call;
mod class;
mod condition;
mod filter;
mod interface;
mod lookup;
mod reading;
mod selection;
mod table;

pub use interface::identify;
pub use lookup::{name, names};
pub use reading::{TextArgument, does_not_return, releases, text_of};
pub use selection::Selection;
