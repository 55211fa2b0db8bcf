//! The tree of processes: a line for each, and what happened to it below.

use std::collections::HashMap;

use super::Page;
use super::process::shortened;
use crate::report::model::{Life, Lived};
use crate::report::units::{plural, time};

mod events;

/// So many processes have a line of their own.
const MAX_PROCESSES: usize = 60;
/// If more siblings than this lived the same life, the first one stands for all.
const ALIKE: usize = 2;
/// Characters of a command line.
const COMMAND: usize = 60;

/// The tree, if it is wanted.
pub(super) fn life_part(life: &Life, page: &Page<'_>) -> String {
    if !page.view.life || life.processes.is_empty() {
        return String::new();
    }
    let mut tree = Tree::new(life);
    let roots: Vec<_> = (0..life.processes.len()).filter(|&place| tree.is_root(place)).collect();
    tree.text = format!("\nlife of {}\n", processes(life.processes.len() as u64 + life.omitted));
    tree.draw(&roots, "  ", false);
    let undrawn = life.processes.len() as u64 - tree.told + life.omitted;
    if undrawn > 0 {
        tree.text += &format!("  ... and {undrawn} more (all with --format json)\n");
    }
    if life.unclear_waits > 0 {
        let waits = plural(life.unclear_waits, "wait");
        tree.text += &format!("  {waits} by waitid(2): unknown for which child\n");
    }
    tree.text
}

fn processes(count: u64) -> String {
    if count == 1 { "1 process".to_owned() } else { format!("{count} processes") }
}

struct Tree<'a> {
    life: &'a Life,
    /// Places of each one's children.
    children: Vec<Vec<usize>>,
    text: String,
    /// Processes with a line.
    drawn: usize,
    /// Processes with a line, or in one for several.
    told: u64,
}

impl<'a> Tree<'a> {
    fn new(life: &'a Life) -> Self {
        let mut children = vec![Vec::new(); life.processes.len()];
        for (place, process) in life.processes.iter().enumerate() {
            if let Some(siblings) = process.maker.and_then(|maker| children.get_mut(maker as usize)) {
                siblings.push(place);
            }
        }
        Self { life, children, text: String::new(), drawn: 0, told: 0 }
    }

    fn is_root(&self, place: usize) -> bool {
        self.life.processes[place].maker.is_none()
    }

    /// Draws siblings; `branches`: with lines from their maker.
    fn draw(&mut self, siblings: &[usize], indent: &str, branches: bool) {
        let groups = self.alike(siblings);
        for (index, group) in groups.iter().enumerate() {
            let last = index + 1 == groups.len();
            let (branch, below) = match (branches, last) {
                (false, _) => ("", ""),
                (true, false) => ("|- ", "|  "),
                (true, true) => ("`- ", "   "),
            };
            let (first, others) = group.split_first().expect("a group has a member");
            self.one(*first, &format!("{indent}{branch}"), &format!("{indent}{below}"));
            if !others.is_empty() && self.drawn > 0 {
                self.others(others, &format!("{indent}{below}"));
            }
        }
    }

    fn one(&mut self, place: usize, indent: &str, below: &str) {
        if self.drawn == MAX_PROCESSES {
            return;
        }
        self.drawn += 1;
        self.told += 1;
        let process = &self.life.processes[place];
        self.text += &format!("{indent}{}\n", line(process));
        let children = std::mem::take(&mut self.children[place]);
        let bar = if children.is_empty() { "   " } else { "|  " };
        for event in events::of(process) {
            self.text += &format!("{below}{bar}{event}\n");
        }
        self.draw(&children, below, true);
    }

    /// The line for those that lived as the one before it did.
    fn others(&mut self, others: &[usize], below: &str) {
        self.told += others.len() as u64;
        let processes = others.iter().map(|&place| &self.life.processes[place]);
        let latest = processes.clone().map(|process| process.started_ns).max().unwrap_or_default();
        let zombie = processes.filter_map(|process| process.zombie_ns).max();
        let zombie = zombie.map(|ns| format!(", zombies for {} at most", time(ns))).unwrap_or_default();
        self.text += &format!(
            "{below}   ... and {} like it, the last one at {}{zombie}\n",
            others.len(),
            time(latest)
        );
    }

    /// Siblings by what they lived, in the order of their beginning; those of whom there is more to
    /// say than the line says, and all few, by themselves.
    fn alike(&self, siblings: &[usize]) -> Vec<Vec<usize>> {
        let mut groups: Vec<Vec<usize>> = Vec::new();
        let mut known: HashMap<_, usize> = HashMap::new();
        for &place in siblings {
            let process = &self.life.processes[place];
            let plain = self.children[place].is_empty() && !events::are_telling(process);
            let key = (process.made_by, command(process), process.exit_code, process.signal);
            match known.get(&key) {
                Some(&group) if plain => groups[group].push(place),
                _ => {
                    if plain {
                        known.insert(key, groups.len());
                    }
                    groups.push(vec![place]);
                }
            }
        }
        let few = |group: Vec<usize>| match group.len() {
            ..=ALIKE => group.into_iter().map(|place| vec![place]).collect(),
            _ => vec![group],
        };
        groups.into_iter().flat_map(few).collect()
    }
}

fn command(process: &Lived) -> String {
    let Some(program) = process.programs.last() else { return String::new() };
    if program.command.is_empty() { program.path.clone() } else { program.command.join(" ") }
}

/// `1240 make all; vfork at 3.10 ms, exec at 3.40 ms, status 2 at 1.10 s, zombie for 40.0 us until 12 asked`.
fn line(process: &Lived) -> String {
    let mut parts = Vec::new();
    if process.made_by != "start" {
        parts.push(format!("{} at {}", process.made_by, time(process.started_ns)));
    }
    if let Some(program) = process.programs.last() {
        parts.push(format!("exec at {}", time(program.at_ns)));
    }
    if process.threads > 1 {
        parts.push(plural(process.threads, "thread"));
    }
    parts.push(end(process));
    if process.ended_ns.is_some() && process.maker.is_some() {
        parts.push(match (process.zombie_ns, process.reaped_by) {
            (Some(zombie), Some(by)) => format!("zombie for {} until {by} asked", time(zombie)),
            _ => "nobody seen to ask".to_owned(),
        });
    }
    let command = match command(process) {
        empty if empty.is_empty() => String::new(),
        command => format!(" {}", shortened(&command, COMMAND)),
    };
    format!("{}{command}; {}", process.pid, parts.join(", "))
}

fn end(process: &Lived) -> String {
    let Some(at) = process.ended_ns.map(time) else { return "not seen to end".to_owned() };
    match (process.exit_code, &process.signal_name) {
        (Some(code), _) => format!("status {code} at {at}"),
        (None, Some(signal)) if process.core_dumped => format!("killed by {signal} at {at}, core dumped"),
        (None, Some(signal)) => format!("killed by {signal} at {at}"),
        (None, None) => format!("ended at {at}"),
    }
}

#[cfg(test)]
mod tests;
