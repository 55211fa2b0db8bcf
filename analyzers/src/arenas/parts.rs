//! How many bytes each part of the memory has, and how many of them are resident.

use std::iter::Sum;
use std::ops::AddAssign;

use super::pieces::{Piece, Place};
use super::report::{Extent, Part, PartBytes};

impl AddAssign for Extent {
    #[inline]
    fn add_assign(&mut self, other: Self) {
        self.bytes += other.bytes;
        self.resident += other.resident;
        self.swapped += other.swapped;
    }
}

impl Sum for Extent {
    fn sum<I: Iterator<Item = Self>>(extents: I) -> Self {
        extents.fold(Self::default(), |mut sum, extent| {
            sum += extent;
            sum
        })
    }
}

impl Part {
    /// All of them, in their order.
    pub const ALL: [Self; Self::Unknown as usize + 1] = [
        Self::Live,
        Self::Rounding,
        Self::Headers,
        Self::NotSeen,
        Self::Tcache,
        Self::Fast,
        Self::Bin,
        Self::Top,
        Self::Orphan,
        Self::Retained,
        Self::Reserved,
        Self::Stacks,
        Self::Direct,
        Self::Code,
        Self::Files,
        Self::Shared,
        Self::Runtime,
        Self::Calltap,
        Self::Kernel,
        Self::Unknown,
    ];

    /// Those that the allocator counts as its own.
    pub const OWN: &[Self] = Self::ALL.split_at(Self::Reserved as usize).0;
}

/// The bytes of every part. A byte is in one of them if it is mapped and writable, or resident.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    by: [Extent; Part::ALL.len()],
    in_use: Extent,
    mapped: Extent,
}

impl Parts {
    /// What `part` has.
    #[must_use]
    pub const fn of(&self, part: Part) -> Extent {
        self.by[part as usize]
    }

    /// What these parts have together.
    #[must_use]
    pub fn sum(&self, parts: &[Part]) -> Extent {
        parts.iter().map(|part| self.of(*part)).sum()
    }

    /// What all parts have together.
    #[must_use]
    pub fn all(&self) -> Extent {
        self.sum(&Part::ALL)
    }

    /// Chunks in use with their headers, and blocks whose chunks are not known.
    #[must_use]
    pub const fn in_use(&self) -> Extent {
        self.in_use
    }

    /// What is mapped for the allocator, reserved address space included.
    #[must_use]
    pub const fn mapped(&self) -> Extent {
        self.mapped
    }

    /// The parts that have bytes, in their order.
    pub fn iter(&self) -> impl Iterator<Item = PartBytes> + '_ {
        let all = Part::ALL.iter().map(|part| PartBytes { part: *part, extent: self.of(*part) });
        all.filter(|row| row.extent.bytes > 0)
    }

    /// Counts a piece in.
    #[inline]
    pub(super) fn add(&mut self, piece: &Piece<'_>) {
        let part = if piece.is_orphan() { Part::Orphan } else { piece.part };
        self.by[part as usize] += piece.extent;
        if piece.in_use {
            self.in_use += piece.extent;
        }
        if piece.place != Place::Elsewhere {
            self.mapped += Extent { bytes: piece.end - piece.start, ..piece.extent };
        }
    }
}
