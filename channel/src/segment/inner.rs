//! The inner part of a segment: what the CLI and the tracer have for themselves.

use core::sync::atomic::{AtomicU64, Ordering};

use super::{Header, PAGE, READER_GONE, READER_RUNS, Segment};

impl Segment {
    /// The same with its inner part, which is mapped at `inner`.
    ///
    /// # Safety
    /// `inner` is page-aligned and `layout().inner_size()` bytes from it stay mapped, readable and writable, as long as
    /// any copy of the returned value is used. They were zero when they were new.
    #[must_use]
    pub unsafe fn with_inner(self, inner: *mut u8) -> Self {
        Self { inner, ..self }
    }

    /// Makes the inner part known: ring 0 of the segment is nobody's any more, and the configuration is copied.
    /// To be called by the CLI when all is configured, before the tracer starts.
    pub fn prepare_inner(&self) {
        if self.inner.is_null() {
            return;
        }
        self.outer_control(0).reserve_for_nobody();
        let inner = self.inner();
        for (to, from) in inner.configuration_words().into_iter().zip(self.header().configuration()) {
            to.store(from, Ordering::Relaxed);
        }
        inner.reader.store(READER_RUNS, Ordering::Relaxed);
    }

    /// The header of the inner part; the segment's where there is none.
    #[inline]
    #[must_use]
    pub fn inner(&self) -> &'static Header {
        let base = if self.inner.is_null() { self.base } else { self.inner };
        // SAFETY: as `header`; `with_inner`'s contract keeps the page mapped.
        unsafe { &*base.cast::<Header>() }
    }

    /// Nobody will read any more.
    pub fn no_reader(&self) {
        self.header().reader.store(READER_GONE, Ordering::Relaxed);
        self.inner().reader.store(READER_GONE, Ordering::Relaxed);
    }

    /// Whether ring `index` is the inner part's.
    #[inline]
    #[must_use]
    pub fn is_inner(&self, index: usize) -> bool {
        index == 0 && !self.inner.is_null()
    }

    /// Whether nobody has touched what nobody uses: the rest of the first page, and the control block of the ring that
    /// is not there.
    #[must_use]
    pub fn is_untouched(&self) -> bool {
        let words = (PAGE as usize - size_of::<Header>()) / 8;
        // SAFETY: within the first page, which is mapped; aligned, and plain atomics.
        let rest = unsafe {
            core::slice::from_raw_parts(self.base.add(size_of::<Header>()).cast::<AtomicU64>(), words)
        };
        let padding = &self.header().end_padding;
        rest.iter().chain(padding).all(|word| word.load(Ordering::Relaxed) == 0)
            && (self.inner.is_null() || self.outer_control(0).is_for_nobody())
    }
}
