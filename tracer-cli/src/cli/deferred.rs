//! Options of a verb that are made known to the parser only if it is that verb which is given.

use std::ops::Deref;

use clap::error::Error;
use clap::{ArgMatches, Args, Command, FromArgMatches, Id};

/// What it holds, parsed; a start is 0.3 ms shorter without the options of the other verbs.
#[derive(Debug)]
pub struct Deferred<Options>(pub Box<Options>);

impl<Options> Deref for Deferred<Options> {
    type Target = Options;

    fn deref(&self) -> &Options {
        &self.0
    }
}

impl<Options: Args> Args for Deferred<Options> {
    fn group_id() -> Option<Id> {
        Options::group_id()
    }

    fn augment_args(command: Command) -> Command {
        command.defer(Options::augment_args)
    }

    fn augment_args_for_update(command: Command) -> Command {
        command.defer(Options::augment_args_for_update)
    }
}

impl<Options: FromArgMatches> FromArgMatches for Deferred<Options> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        Options::from_arg_matches(matches).map(|options| Self(Box::new(options)))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        self.0.update_from_arg_matches(matches)
    }
}
