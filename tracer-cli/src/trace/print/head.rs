//! What stands in front of a line: thread, time, return address, indentation.

use super::clock::Clock;
use super::style::{Ids, Stamps, Style};
use super::text::{Color, Text};

/// Writes the beginning of lines.
#[derive(Debug)]
pub struct Head {
    ids: Ids,
    stamps: Stamps,
    zero_ns: u64,
    sites: bool,
    indent: usize,
    clock: Clock,
    /// When the line before began, in microseconds.
    last: Option<u64>,
}

/// Where a call comes from.
#[derive(Clone, Copy, Debug)]
pub struct Site<'a> {
    /// The return address.
    pub address: u64,
    /// File name of the object it lies in, and the address that is loaded at; None if that is not known or would say
    /// nothing new.
    pub object: Option<(&'a str, u64)>,
}

impl Head {
    /// As the options say.
    pub fn new(style: &Style) -> Self {
        Self {
            ids: style.ids,
            stamps: style.stamps,
            zero_ns: style.zero_ns,
            sites: style.sites,
            indent: style.indent,
            clock: Clock::default(),
            last: None,
        }
    }

    /// Writes it for a line of a thread at a time since the session's zero; `depth` calls of the thread are open around.
    pub fn write(&mut self, out: &mut Text, tid: u32, at_ns: u64, site: Option<Site<'_>>, depth: usize) {
        let colored = self.ids != Ids::None || self.stamps != Stamps::None || self.sites;
        if colored {
            out.color(Color::Dim);
        }
        match self.ids {
            Ids::None => {}
            Ids::Bracketed => {
                out.raw(b"[pid ");
                out.unsigned(u64::from(tid));
                out.raw(b"] ");
            }
            Ids::Bare => {
                out.unsigned(u64::from(tid));
                out.byte(b' ');
            }
        }
        self.stamp(out, at_ns);
        if self.sites {
            address(out, site);
        }
        if colored {
            out.plain();
        }
        out.spaces(self.indent * depth);
    }

    fn stamp(&mut self, out: &mut Text, at_ns: u64) {
        let micros = at_ns.saturating_add(self.zero_ns) / 1000;
        let (second, micro) = (micros / 1_000_000, micros % 1_000_000);
        match self.stamps {
            Stamps::None => return,
            Stamps::Relative => {
                // A call's line may stand for its beginning and come after another one: never less than nothing.
                let passed = micros.saturating_sub(self.last.unwrap_or(micros));
                self.last = Some(micros);
                let digits = (passed / 1_000_000).checked_ilog10().unwrap_or(0) as usize + 1;
                out.spaces(3_usize.saturating_sub(digits));
                out.unsigned(passed / 1_000_000);
                out.byte(b'.');
                out.zero_padded(passed % 1_000_000, 6);
            }
            Stamps::Epoch => {
                out.unsigned(second);
                out.byte(b'.');
                out.zero_padded(micro, 6);
            }
            Stamps::Seconds | Stamps::Micros => {
                for (number, part) in self.clock.time_of_day(second).into_iter().enumerate() {
                    if number > 0 {
                        out.byte(b':');
                    }
                    out.zero_padded(part, 2);
                }
                if self.stamps == Stamps::Micros {
                    out.byte(b'.');
                    out.zero_padded(micro, 6);
                }
            }
        }
        out.byte(b' ');
    }
}

/// Writes `[0x401156] `; with the object and the offset in it if that is loaded somewhere, since the address alone says
/// nothing then.
fn address(out: &mut Text, site: Option<Site<'_>>) {
    out.byte(b'[');
    match site {
        Some(site) => {
            out.hex(site.address);
            if let Some((object, base)) = site.object
                && base != 0
                && base <= site.address
            {
                out.byte(b' ');
                out.str(object);
                out.byte(b'+');
                out.hex(site.address - base);
            }
        }
        None => out.byte(b'?'),
    }
    out.raw(b"] ");
}
