//! The plan of `run`: in which objects hooks are bound by slots.

use calltap_channel::trace::plan::{MISSED, Pattern, PatternKind, RuleKind, TYPED};

use crate::cli::Run;
use crate::library::Binding;
use crate::trace::plan::PlanWriter;

/// Says what the options ask for.
///
/// # Errors
/// If objects are chosen, but not slots, or too many.
pub fn plan(options: &Run) -> anyhow::Result<Vec<u64>> {
    let by_name = options.bind == Binding::Symbols;
    anyhow::ensure!(
        options.objects.is_empty() || !by_name,
        "--objects cannot be used with --bind symbols: a name is the same for all objects\n\
         hint: add --bind got"
    );
    let mut writer = PlanWriter::new(if by_name { TYPED | MISSED } else { TYPED }, 0, 0);
    let any = Pattern { kind: PatternKind::Any, text: &[] };
    if options.objects.is_empty() {
        writer.rule(RuleKind::Calls, any, any);
    }
    for object in &options.objects {
        let kind = if object == "MAIN" { PatternKind::Main } else { PatternKind::Glob };
        let text = if kind == PatternKind::Main { "" } else { object };
        writer.rule(RuleKind::Calls, any, Pattern { kind, text: text.as_bytes() });
    }
    writer.check_rules()?;
    Ok(writer.finish())
}
