//! Tracing any imported function: slots of the global offset tables are found and rewritten (`binding`), calls pass
//! through generic entries (`entry`, `call`), each function has one of these (`functions`).

pub(crate) mod functions;
