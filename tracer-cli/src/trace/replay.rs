//! `--replay FILE`: a recording, as if it happened now.

mod reading;
mod rows;

use std::collections::HashMap;
use std::path::Path;

use anyhow::Context;

use self::reading::{Block, Reading};
pub use self::rows::Recorded;
use super::print::End;
use super::record::format::{Kind, OWNER_WORDS, take_text};
use super::stacks::{Shared, Table};
use super::stream::{Merge, Met, Owner, Records, Stream, happened};
use calltap_channel::stack::{Frame, Stack};

pub use self::reading::Head;

/// A recording whose head has been read.
#[derive(Debug)]
pub struct Replay {
    reading: Reading,
    /// What its head says.
    pub head: Head,
    /// The plan's words.
    pub plan: Vec<u64>,
    /// Path of the program.
    pub program: String,
}

/// All threads' records that wait.
#[derive(Debug, Default)]
struct Queues {
    sources: Vec<Option<Queue>>,
    /// Which source has which ring.
    rings: HashMap<u32, usize>,
}

/// Records of one thread that wait for their time.
#[derive(Debug)]
struct Queue {
    owner: Owner,
    words: Vec<u64>,
    at: usize,
    /// Nobody writes to it any more.
    closed: bool,
}

impl Records for Queue {
    fn owner(&self) -> &Owner {
        &self.owner
    }

    fn look(&mut self) -> Option<u64> {
        let head = self.head();
        (head.len() > 1).then(|| happened(head))
    }

    fn head(&self) -> &[u64] {
        let rest = &self.words[self.at..];
        let length = rest.first().map_or(0, |header| (header & 0xff) as usize);
        rest.get(..length).unwrap_or(&[])
    }

    fn pass(&mut self) {
        self.at += self.head().len();
    }
}

impl Replay {
    /// Opens a recording.
    ///
    /// # Errors
    /// If it is none, of another version, or ends before its first record.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let (mut reading, head) = Reading::open(path)?;
        let plan = reading.expect(Kind::Plan)?;
        let program =
            take_text(&mut &reading.expect(Kind::Program)?[..]).context("its program has no name")?;
        Ok(Self { reading, head, plan, program })
    }

    /// Has `stream` take everything. `stacks` are told of those in it.
    ///
    /// # Errors
    /// If the recording is torn: `stream` has taken all that is readable.
    pub fn play(mut self, stream: &mut Stream, stacks: Option<&Shared>) -> (End, anyhow::Result<()>) {
        let mut merge = Merge::default();
        let mut queues = Queues::default();
        loop {
            let block = match self.reading.next() {
                Ok(block) => block,
                Err(error) => {
                    queues.up_to(u64::MAX, &mut merge, stream);
                    let end = End { at_ns: stream.last_ns(), lost: stream.lost, ..End::default() };
                    return (end, Err(error));
                }
            };
            match block.kind {
                Kind::End => {
                    let [at_ns, lost, unfollowed] = std::array::from_fn(|index| block.word(index));
                    return (End { at_ns, lost, unfollowed, counts: Vec::new() }, Ok(()));
                }
                Kind::Bound => queues.up_to(block.word(0), &mut merge, stream),
                Kind::Records => queues.add(block),
                Kind::Dropped => stream.dropped(&owner(block.words), block.word(OWNER_WORDS)),
                Kind::Closed => queues.close(block.word(0) as u32),
                Kind::Function => learn(block, stream),
                Kind::Stack => {
                    if let Some(stacks) = stacks {
                        keep(block, stacks);
                    }
                }
                Kind::Plan | Kind::Program => {}
            }
        }
    }
}

impl Queues {
    fn add(&mut self, block: Block<'_>) {
        let owner = owner(block.words);
        let index = *self.rings.entry(owner.ring).or_insert_with(|| {
            self.sources.push(Some(Queue { owner, words: Vec::new(), at: 0, closed: false }));
            self.sources.len() - 1
        });
        let records = block.words.get(OWNER_WORDS..).unwrap_or(&[]);
        if let Some(queue) = &mut self.sources[index] {
            queue.words.drain(..queue.at);
            queue.at = 0;
            queue.words.extend_from_slice(records);
        }
    }

    /// A ring's next owner is another one; what the last one wrote is still to be taken.
    fn close(&mut self, ring: u32) {
        if let Some(queue) = self.rings.remove(&ring).and_then(|index| self.sources[index].as_mut()) {
            queue.closed = true;
        }
    }

    fn up_to(&mut self, bound: u64, merge: &mut Merge, stream: &mut Stream) {
        merge.round(&mut self.sources, bound, |owner, words| {
            // Nobody waits for an answer.
            let _ = stream.take(owner, words);
        });
        for source in &mut self.sources {
            if let Some(done) = source.take_if(|queue| queue.closed && queue.head().is_empty()) {
                stream.forget(&done.owner);
            }
        }
        if self.sources.len() > 64
            && self.sources.iter().filter(|source| source.is_none()).count() > self.sources.len() / 2
        {
            self.compact();
        }
        stream.rest();
    }

    /// Forgets the places of sources that are gone.
    fn compact(&mut self) {
        self.sources.retain(Option::is_some);
        self.rings = self
            .sources
            .iter()
            .enumerate()
            .filter_map(|(index, source)| {
                source.as_ref().filter(|queue| !queue.closed).map(|queue| (queue.owner.ring, index))
            })
            .collect();
    }
}

fn owner(words: &[u64]) -> Owner {
    let [ring, ids, images] = std::array::from_fn(|index| words.get(index).copied().unwrap_or(0));
    Owner {
        ring: ring as u32,
        pid: (ids >> 32) as u32,
        tid: ids as u32,
        image: images as u32,
        parent: (images >> 32) as u32,
    }
}

fn learn(block: Block<'_>, stream: &mut Stream) {
    let mut rest = block.words.get(2..).unwrap_or(&[]);
    if let (Some(name), Some(provider)) = (take_text(&mut rest), take_text(&mut rest)) {
        let row = (block.word(1) as u32).checked_sub(1);
        stream.functions.learn(block.word(0) as u32, Met { name, provider, row });
    }
}

fn keep(block: Block<'_>, stacks: &Shared) {
    let Some(end) = rows::end(block.word(1)) else { return };
    let frames = block.words.get(2..).unwrap_or(&[]).iter().map(|word| Frame(*word)).collect();
    if let Table::Recorded(known) = &mut stacks.borrow_mut().table {
        known.insert(block.word(0) as u32, Stack { frames, end });
    }
}
