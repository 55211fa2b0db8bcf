//! Which objects a process has mapped where.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::object::Object;
use super::objects::Objects;
use crate::exit_snapshot::{Mapped, maps};
use crate::tracer::tracees::Id;

/// The greatest number of addresses in no known mapping for which the kernel is not asked again.
const MOST_PASSED: u32 = 1 << 10;

/// Executable pages.
#[derive(Clone, Debug)]
pub(super) struct Module {
    pub(super) addresses: Range<u64>,
    content: Content,
    path: PathBuf,
}

#[derive(Clone, Debug)]
enum Content {
    /// Not looked at yet: no stack has led here.
    Unmet(Rc<Mapped>),
    /// An object; the file's addresses are moved by `bias`.
    Object { object: Rc<Object>, bias: u64 },
    /// Code of no object, or of one that cannot be read.
    Other,
}

/// An object that was met on a stack of a process for the first time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Met {
    /// The thread group.
    pub(crate) group: Id,
    /// Its addresses.
    pub(crate) start: u64,
    /// First address behind it.
    pub(crate) end: u64,
    /// What its file's addresses are moved by.
    pub(crate) bias: u64,
    /// Its path as the process sees it.
    pub(crate) path: PathBuf,
}

/// The executable mappings of one process, as of when they were last read.
#[derive(Clone, Debug, Default)]
pub(super) struct Modules {
    /// By address.
    list: Vec<Module>,
    /// Whether one of them is, or may be, the interposer.
    pub(super) has_interposer: bool,
    /// Addresses that were found in none of them since they were read.
    passed: u32,
    /// As many are passed before the next look.
    patience: u32,
}

impl Modules {
    /// Where in the list the mapping is that holds an address.
    #[inline]
    pub(super) fn find(&self, address: u64) -> Option<usize> {
        let next = self.list.partition_point(|module| module.addresses.start <= address);
        let at = next.checked_sub(1)?;
        (address < self.list[at].addresses.end).then_some(at)
    }

    /// The object at a place of the list, and its bias; None if there is none. `Err` if that is not known
    /// yet: see [`Self::meet`].
    #[inline]
    pub(super) fn object(&self, at: usize) -> Result<Option<(&Rc<Object>, u64)>, ()> {
        match &self.list[at].content {
            Content::Unmet(_) => Err(()),
            Content::Object { object, bias } => Ok(Some((object, *bias))),
            Content::Other => Ok(None),
        }
    }

    /// Whether the next address that is found nowhere is worth a look at the kernel's list.
    pub(super) fn is_worth_a_look(&mut self) -> bool {
        self.passed += 1;
        self.passed > self.patience
    }

    /// Reads the list anew. What is where it was stays known.
    pub(super) fn read(&mut self, tid: Id, objects: &Objects) {
        let maps = maps::read(Path::new(&format!("/proc/{tid}")));
        let old = std::mem::take(&mut self.list);
        let mut changed = false;
        self.has_interposer = false;
        for mapped in maps {
            if mapped.permissions[2] != b'x' {
                continue;
            }
            self.has_interposer |= objects.may_be_interposer(&mapped);
            let known = old
                .iter()
                .find(|module| module.addresses == (mapped.start..mapped.end) && module.path == mapped.path);
            changed |= known.is_none();
            self.list.push(known.cloned().unwrap_or_else(|| Module::new(mapped)));
        }
        self.passed = 0;
        // Code that comes and goes unnoticed, and wrong addresses, must not cost a look each.
        self.patience = if changed { 0 } else { (self.patience * 2).clamp(1, MOST_PASSED) };
    }

    /// Something was mapped at these addresses, or unmapped.
    pub(super) fn changed(&mut self, addresses: &Range<u64>) {
        self.patience = 0;
        let apart = |a: &Range<u64>| a.end <= addresses.start || addresses.end <= a.start;
        self.list.retain(|module| apart(&module.addresses));
    }

    /// Looks at what is at a place of the list for the first time. Gives the object if the process has not
    /// met it before.
    pub(super) fn meet(&mut self, at: usize, group: Id, tid: Id, objects: &mut Objects) -> Option<Met> {
        let Content::Unmet(mapped) = self.list[at].content.clone() else { return None };
        self.list[at].content = Content::Other;
        let maps = || maps::parse(&std::fs::read(format!("/proc/{tid}/maps")).unwrap_or_default());
        let object = objects.mapped(tid, &mapped, &maps)?;
        let bias = mapped.start.wrapping_sub(object.address_of_code(mapped.offset)?);
        let span = object.span();
        let (start, end) = (span.start.wrapping_add(bias), span.end.wrapping_add(bias));
        let is_new = !self.list.iter().any(|module| match &module.content {
            Content::Object { object: other, bias: other_bias } => {
                Rc::ptr_eq(other, &object) && *other_bias == bias
            }
            _ => false,
        });
        self.list[at].content = Content::Object { object, bias };
        is_new.then(|| Met { group, start, end, bias, path: mapped.path.clone() })
    }
}

impl Module {
    fn new(mapped: Mapped) -> Self {
        let path = mapped.path.clone();
        Self { addresses: mapped.start..mapped.end, content: Content::Unmet(Rc::new(mapped)), path }
    }
}
