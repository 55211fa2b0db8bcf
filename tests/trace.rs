//! `calltap trace`: what it shows, and that the program does not notice.

mod arguments;
mod compatible;
mod counting;
mod filters;
mod harmless;
mod linkage;
mod output;
mod recording;
mod system_calls;
