//! The end of a line's way: one buffer, written when it is full or when nothing more is there.

use std::io::{self, Write};

use super::To;
use super::text::{Mark, Text};

/// As much as is written at once: a full pipe.
const FULL: usize = 64 * 1024;

/// Text on its way out.
pub struct Output {
    to: To,
    /// What has not been written; the line that is being put together is at its end.
    pub text: Text,
    /// Where that line begins, if one does.
    line: Option<Mark>,
    /// Bytes of that line that were written already, because somebody looks on.
    shown: usize,
    /// Whether lines are shown before they are complete.
    live: bool,
}

impl Output {
    /// To a file, a pipe or a terminal.
    pub fn new(to: To, live: bool, colored: bool) -> Self {
        Self { to, text: Text::new(colored), line: None, shown: 0, live }
    }

    /// A line begins.
    pub fn begin(&mut self) {
        self.line = Some(self.text.mark());
        self.shown = 0;
    }

    /// Columns of the line so far.
    pub fn columns(&self) -> usize {
        self.line.map_or(0, |line| self.text.columns(line) + self.shown)
    }

    /// The line ends.
    ///
    /// # Errors
    /// Writing failed.
    pub fn end(&mut self) -> io::Result<()> {
        self.text.byte(b'\n');
        self.line = None;
        self.shown = 0;
        if self.text.bytes().len() >= FULL { self.write() } else { Ok(()) }
    }

    /// Writes what is waiting; of a line that is not complete only if somebody looks on.
    ///
    /// # Errors
    /// Writing failed.
    pub fn flush(&mut self) -> io::Result<()> {
        match self.line {
            Some(line) if !self.live => {
                self.to.write_all(self.text.before(line))?;
                self.text.drop_before(line);
                self.line = Some(Text::start());
                self.to.flush()
            }
            Some(_) => {
                let shown = self.columns();
                self.write()?;
                self.begin();
                self.shown = shown;
                self.to.flush()
            }
            None => {
                self.write()?;
                self.to.flush()
            }
        }
    }

    fn write(&mut self) -> io::Result<()> {
        self.to.write_all(self.text.bytes())?;
        self.text.clear();
        Ok(())
    }
}
