//! The unwind tables of an object (`.eh_frame`), in a copy of our own.

use gimli::{
    BaseAddresses, CieOrFde, EhFrame, EhFrameHdr, EhFrameOffset, EndianSlice, FrameDescriptionEntry,
    LittleEndian, Pointer, UnwindContext, UnwindSection,
};

use super::rule::Rule;

type Slice<'a> = EndianSlice<'a, LittleEndian>;

/// What is reused from one look at a table to the next.
pub(super) type Context = UnwindContext<usize>;

/// Unwind tables, and how entries are found in them. Addresses are those of the file.
#[derive(Debug)]
pub(super) struct Tables {
    bytes: Vec<u8>,
    /// Address of the first byte.
    start: u64,
    index: Index,
}

#[derive(Debug)]
enum Index {
    /// Sorted by the linker, in `.eh_frame_hdr` at this address.
    Linker(u64),
    /// Sorted by us: for each entry its first address, and its offset in `.eh_frame`, which is all of
    /// `bytes`. Static programs are linked without `.eh_frame_hdr`.
    Own(Vec<(u64, usize)>),
}

/// Which byte of `.eh_frame_hdr` says how the number of its entries is written.
const COUNT_ENCODING: usize = 2;

impl Tables {
    /// Tables with a header: `bytes` lie at `start` and hold both sections.
    pub(super) fn with_header(bytes: Vec<u8>, start: u64, header: u64) -> Self {
        Self { bytes, start, index: Index::Linker(header) }
    }

    /// Tables without: `bytes` are the section, and lie at `start`. Entries behind the first one that makes
    /// no sense are left out.
    pub(super) fn without_header(bytes: Vec<u8>, start: u64) -> Self {
        let mut index = Vec::new();
        let bases = BaseAddresses::default().set_eh_frame(start);
        let section = EhFrame::new(&bytes, LittleEndian);
        let mut entries = section.entries(&bases);
        while let Ok(Some(entry)) = entries.next() {
            let CieOrFde::Fde(entry) = entry else { continue };
            let Ok(entry) = entry.parse(EhFrame::cie_from_offset) else { break };
            index.push((entry.initial_address(), entry.offset()));
        }
        index.sort_unstable();
        Self { bytes, start, index: Index::Own(index) }
    }

    #[cfg(test)]
    pub(super) fn has_own_index(&self) -> bool {
        matches!(self.index, Index::Own(_))
    }

    /// Where `.eh_frame` begins, by the beginning of `.eh_frame_hdr`, which lies at `header`.
    pub(super) fn start_by_header(beginning: &[u8], header: u64) -> Option<u64> {
        let bases = BaseAddresses::default().set_eh_frame_hdr(header);
        match EhFrameHdr::new(beginning, LittleEndian).parse(&bases, 8).ok()?.eh_frame_ptr() {
            Pointer::Direct(start) => Some(start),
            Pointer::Indirect(_) => None,
        }
    }

    /// The rule of the code at an address.
    pub(super) fn rule(&self, address: u64, context: &mut Context) -> Rule {
        match self.index {
            Index::Linker(header) => self.by_header(header, address, context),
            Index::Own(ref index) => {
                let section = EhFrame::new(&self.bytes, LittleEndian);
                let bases = BaseAddresses::default().set_eh_frame(self.start);
                let entry_for = |address| {
                    let next = index.partition_point(|(first, _)| *first <= address);
                    let (_, offset) = *index.get(next.checked_sub(1)?)?;
                    let entry =
                        section.fde_from_offset(&bases, offset.into(), EhFrame::cie_from_offset).ok()?;
                    entry.contains(address).then_some(entry)
                };
                rule_in(&section, &bases, address, context, entry_for)
            }
        }
        .unwrap_or(Rule::Unknown)
    }

    fn by_header(&self, header: u64, address: u64, context: &mut Context) -> Option<Rule> {
        let bases = BaseAddresses::default().set_eh_frame_hdr(header);
        let beginning = self.from(header)?;
        // As all linkers write the number of entries. With larger numbers gimli calculates beyond 64 bits.
        if beginning.get(COUNT_ENCODING) != Some(&gimli::DW_EH_PE_udata4.0) {
            return None;
        }
        let parsed = EhFrameHdr::new(beginning, LittleEndian).parse(&bases, 8).ok()?;
        let Pointer::Direct(start) = parsed.eh_frame_ptr() else { return None };
        let bases = bases.set_eh_frame(start);
        let section = EhFrame::new(self.from(start)?, LittleEndian);
        let table = parsed.table()?;
        rule_in(&section, &bases, address, context, |address| {
            // As gimli's own `fde_for_address`, but for tables that lead to before the section.
            let Ok(Pointer::Direct(entry)) = table.lookup(address, &bases) else { return None };
            let offset = EhFrameOffset(usize::try_from(entry.checked_sub(start)?).ok()?);
            let entry = section.fde_from_offset(&bases, offset, EhFrame::cie_from_offset).ok()?;
            entry.contains(address).then_some(entry)
        })
    }

    fn from(&self, address: u64) -> Option<&[u8]> {
        self.bytes.get(usize::try_from(address.checked_sub(self.start)?).ok()?..)
    }
}

fn rule_in<'a>(
    section: &EhFrame<Slice<'a>>,
    bases: &BaseAddresses,
    address: u64,
    context: &mut Context,
    entry_for: impl Fn(u64) -> Option<FrameDescriptionEntry<Slice<'a>>>,
) -> Option<Rule> {
    let Some(entry) = entry_for(address) else {
        // A return address that is a function's first was put there by hand: nothing called from there. So
        // coroutines end (`makecontext`).
        let next = address.checked_add(1)?;
        let begins_behind = entry_for(next)?.initial_address() == next;
        return begins_behind.then_some(Rule::Outermost);
    };
    if entry.is_signal_trampoline() {
        return Some(Rule::Signal);
    }
    let row = entry.unwind_info_for_address(section, bases, context, address).ok()?;
    Some(Rule::of(row, section))
}
