//! Options of a verb that are made known to the parser only if it is that verb which is given.

use std::ops::Deref;

use clap::builder::Resettable;
use clap::error::Error;
use clap::{ArgMatches, Args, Command, FromArgMatches, Id};

/// What it holds, parsed. Every start of ours would pay for the options of the other verbs.
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
        command.defer(|command| keeping_about(command, Options::augment_args))
    }

    fn augment_args_for_update(command: Command) -> Command {
        command.defer(|command| keeping_about(command, Options::augment_args_for_update))
    }
}

/// What stands at the verb is said of it, not what stands at its options, which come later here.
fn keeping_about(command: Command, augment: fn(Command) -> Command) -> Command {
    let (about, long_about) = (command.get_about().cloned(), command.get_long_about().cloned());
    augment(command).about(Resettable::from(about)).long_about(Resettable::from(long_about))
}

impl<Options: FromArgMatches> FromArgMatches for Deferred<Options> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        Options::from_arg_matches(matches).map(|options| Self(Box::new(options)))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        self.0.update_from_arg_matches(matches)
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use crate::cli::Cli;

    #[test]
    fn help_begins_with_what_a_verb_does_and_has_its_options() {
        let verbs: Vec<_> = Cli::command().get_subcommands().cloned().collect();
        assert!(verbs.len() > 5, "{verbs:?}");
        for verb in verbs {
            let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>().join(" ");
            for (option, about) in
                [("-h", verb.get_about()), ("--help", verb.get_long_about().or(verb.get_about()))]
            {
                let help =
                    Cli::command().try_get_matches_from(["calltap", verb.get_name(), option]).unwrap_err();
                let (help, about) = (words(&help.to_string()), words(&about.unwrap().to_string()));
                assert!(help.starts_with(&about) && help.contains("Usage:"), "{option}: {about}\n{help}");
                let has_options =
                    verb.get_name() == "__measure" || help.contains("Options:") && help.contains(" --");
                assert!(has_options, "{help}");
            }
        }
    }
}
