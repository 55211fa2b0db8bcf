//! What the target is told before it starts: the plan, made of the filter and of all prototypes.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::Context;
use calltap_channel::trace::plan::{
    self, COUNT_ONLY, DLSYM_OF_ENTRIES, NO_ARGUMENTS, NO_MEMORY, PatternKind, RuleKind, TAP_DLSYM,
};

use super::filter::{Filter, Rule};
use super::nameless::Nameless;
use super::needed;
use super::options::Trace;
use super::plan::PlanWriter;
use super::stream::{Lookup, Met};
use crate::prototype::files::{Environment, Places};
use crate::prototype::library::Prototypes;
use crate::prototype::parse::Complaint;
use crate::prototype::shipped;
use crate::prototype::types::Prototype;
use crate::system_calls::{self, Selection};

/// The plan's words, and what they were made of.
pub struct Prepared {
    /// The plan.
    pub words: Vec<u64>,
    /// The system calls to stop.
    pub system_calls: Selection,
    /// Prototypes by the plan's rows.
    pub lookup: Rows,
    /// The names in the plan that stand only in objects' files.
    pub nameless: Vec<Nameless>,
    /// What is wrong with the files that have been read.
    pub complaints: Vec<Complaint>,
}

/// Prototypes by the rows of a plan.
pub struct Rows {
    rows: Vec<Option<Rc<Prototype>>>,
    prototypes: Prototypes,
}

impl Lookup for Rows {
    fn function(&mut self, met: &Met) -> Option<Rc<Prototype>> {
        self.rows.get(met.row? as usize)?.clone()
    }

    fn system_call(&mut self, name: &str) -> Option<Rc<Prototype>> {
        self.prototypes.system_call(name)
    }
}

/// All prototypes that the options lead to.
///
/// # Errors
/// If a file that was asked for cannot be read.
pub fn prototypes(options: &Trace) -> anyhow::Result<Prototypes> {
    let places = Places::new(&options.config, &Environment::own())?;
    Ok(Prototypes::new(places, shipped::files()))
}

/// Makes the plan for a program.
///
/// # Errors
/// If prototypes that were asked for cannot be read.
pub fn prepare(options: &Trace, filter: &Filter, program: &Path) -> anyhow::Result<Prepared> {
    let prototypes = prototypes(options)?;
    let system_calls = selection(options, filter)?;
    // Who names a function is to see it, also if the program has asked for its address.
    let named = named(filter);
    let mut flags = 0;
    for (flag, set) in [
        (COUNT_ONLY, options.counts_only()),
        (NO_ARGUMENTS | NO_MEMORY, options.count),
        (TAP_DLSYM, options.tap_dlsym || !named.is_empty()),
        (DLSYM_OF_ENTRIES, !options.tap_dlsym),
    ] {
        flags |= if set { flag } else { 0 };
    }
    let mut writer = PlanWriter::new(flags, options.string_limit, options.array_limit);
    for rule in &filter.rules {
        let [symbol, object] = [&rule.symbol, &rule.object]
            .map(|pattern| plan::Pattern { kind: pattern.kind, text: pattern.text.as_bytes() });
        writer.rule(rule.kind, symbol, object);
    }
    writer.check_rules()?;
    let objects = if filter.rules.is_empty() { Vec::new() } else { needed::objects(program) };
    // Of what cannot be read, or comes later, such calls stay without names: the coverage tells of them.
    let nameless: Vec<_> = objects.iter().filter_map(|object| Nameless::read(object, &named).ok()).collect();
    nameless.iter().flat_map(Nameless::names).for_each(|name| writer.name(name));
    let mut rows = Vec::new();
    let mut add = |name: &str, provider: &str, prototype: &Rc<Prototype>| {
        let number = writer.row(name, provider, Some(prototype)) as usize;
        if number >= rows.len() {
            rows.resize(number + 1, None);
            rows[number] = Some(Rc::clone(prototype));
        }
    };
    if !filter.rules.is_empty() {
        if !options.count {
            learn(&prototypes, filter, &objects);
        }
        for row in prototypes.all() {
            add(&row.name, row.provider.as_deref().unwrap_or_default(), &row.prototype);
        }
    }
    if !system_calls.is_empty() {
        for name in system_calls::names() {
            if let Some(prototype) = prototypes.system_call(name) {
                add(&format!("{name}@SYS"), "", &prototype);
            }
        }
    }
    let complaints = prototypes.complaints();
    let lookup = Rows { rows, prototypes };
    Ok(Prepared { words: writer.finish(), system_calls, lookup, nameless, complaints })
}

/// The functions that `-x` asks for by name, not by a pattern.
fn named(filter: &Filter) -> HashSet<&str> {
    let is_named = |rule: &&Rule| rule.kind == RuleKind::Entries && rule.symbol.kind == PatternKind::Exact;
    filter.rules.iter().filter(is_named).map(|rule| rule.symbol.text.as_str()).collect()
}

/// Has prototypes read from the debug information of those objects of the program that have a function which may be
/// called and which no file knows. Others are not read: debug information is large.
fn learn(prototypes: &Prototypes, filter: &Filter, objects: &[PathBuf]) {
    let functions: Vec<_> = objects.iter().map(|object| needed::functions(object)).collect();
    let only_program = filter.rules.iter().all(|rule| rule.object.kind == PatternKind::Main);
    let callers = if only_program { 1 } else { functions.len() };
    let known: HashSet<String> = prototypes.all().into_iter().map(|row| row.name).collect();
    let unknown: HashSet<&str> = functions[..callers.min(functions.len())]
        .iter()
        .flat_map(|[needs, _]| needs.iter().map(String::as_str))
        .filter(|name| !known.contains(*name))
        .collect();
    let has_unknown =
        |[_, has]: &[HashSet<String>; 2]| has.iter().any(|name| unknown.contains(name.as_str()));
    let learned = objects.iter().zip(&functions).filter(|(_, functions)| has_unknown(functions));
    prototypes.learn(&learned.map(|(object, _)| object.clone()).collect::<Vec<_>>());
}

/// The system calls that are asked for.
fn selection(options: &Trace, filter: &Filter) -> anyhow::Result<Selection> {
    let list = match (&filter.system_calls, options.system_calls) {
        (Some(names), _) if !names.is_empty() => names.join(","),
        (None, true) => "all".to_owned(),
        _ => "none".to_owned(),
    };
    Selection::of(&list).context("cannot choose system calls")
}
