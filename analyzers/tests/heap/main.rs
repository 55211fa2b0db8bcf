//! The heap's ledger, by tables of calls and by comparison with a naive model.

mod accounts;
mod calls;
mod faults;
mod model;
mod nesting;
mod order;
mod places;
mod totals;
