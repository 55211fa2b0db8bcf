//! Memory that a target's bytes become, for code that looks at words.

/// The bytes as little-endian words, the last one filled up with zeros.
pub fn of(data: &[u8]) -> Vec<u64> {
    let word = |bytes: &[u8]| {
        let mut padded = [0; 8];
        padded[..bytes.len()].copy_from_slice(bytes);
        u64::from_le_bytes(padded)
    };
    data.chunks(8).map(word).collect()
}
