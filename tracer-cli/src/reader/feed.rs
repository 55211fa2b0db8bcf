//! From the rings to the analyzers: events go in batches, which lets the analyzers' cache misses
//! overlap; notes and events that borrow from their record go at once, after what was before them.

use calltap_analyzers::event::Event;
use calltap_analyzers::session::Session;
use calltap_channel::{Function, Note};

use super::decode::{self, Context};
use super::lost::Lost;
use super::notes::NoteRecord;
use super::source::Source;
use super::tally::Tally;
use crate::calibration::Scale;

/// So many events wait at most.
const BATCH: usize = 64;

/// The session with the events that it has not seen yet.
pub struct Feed {
    session: Session,
    waiting: Vec<Event<'static>>,
    scale: Scale,
    tally: Option<Tally>,
}

impl Feed {
    /// Feeds `session`; counts stacks beside that if it is to.
    #[must_use]
    pub fn new(session: Session, scale: Scale, tallies: bool) -> Self {
        let tally = tallies.then(Tally::default);
        Self { session, waiting: Vec::with_capacity(BATCH), scale, tally }
    }

    /// What was counted.
    pub fn tally(&mut self) -> Option<Tally> {
        self.tally.take()
    }

    /// Has the session look at the record at the source's head; a note is given back, and the
    /// session has then seen all that came before it.
    #[inline]
    pub fn take(&mut self, source: &Source, lost: &mut Lost) -> Option<NoteRecord> {
        let Ok(record) = source.record() else {
            lost.malformed(source);
            return None;
        };
        let context = Context { image: source.image, thread: source.thread, scale: self.scale };
        let Some(function) = Function::from_number(record.number()) else {
            self.flush();
            return match Note::from_number(record.number()) {
                Some(Note::Abandoned) => {
                    lost.torn(source);
                    None
                }
                Some(note) if note.is_the_tracers() == Some(!source.is_tracer) => {
                    lost.malformed(source);
                    None
                }
                Some(note) => Some(NoteRecord::new(note, &record, source, self.scale)),
                None => {
                    lost.malformed(source);
                    None
                }
            };
        };
        if let Some(tally) = &mut self.tally {
            tally.count(&record, function, source.image);
        }
        match decode::heap(&record, function) {
            Some(action) => {
                self.waiting.push(decode::event(&record, function, action, &context));
                if self.waiting.len() == BATCH {
                    self.flush();
                }
            }
            None => {
                self.flush();
                let text = record.text();
                self.session.observe(&decode::call(&record, function, text.as_ref(), &context));
            }
        }
        None
    }

    /// Has the session look at everything that waits.
    pub fn flush(&mut self) {
        self.session.observe_batch(&self.waiting);
        self.waiting.clear();
    }

    /// The session, which has seen everything.
    pub fn session(&mut self) -> &mut Session {
        self.flush();
        &mut self.session
    }
}
