//! The prototypes that calltap brings along, in the language that [`super::parse`] reads. Written from the standards, the
//! manual pages and the headers' declarations; the tests compare them with the headers.

#[cfg(test)]
mod tests;

/// Names and texts of the files: those of libraries in the order in which they are asked for a function of an unknown
/// library, then the types that they share, then system calls by their plain names.
#[must_use]
pub fn files() -> &'static [(&'static str, &'static str)] {
    &[
        ("libc.so.conf", include_str!("shipped/libc.so.conf")),
        ("libpthread.so.conf", include_str!("shipped/libpthread.so.conf")),
        ("libdl.so.conf", include_str!("shipped/libdl.so.conf")),
        ("librt.so.conf", include_str!("shipped/librt.so.conf")),
        ("libm.so.conf", include_str!("shipped/libm.so.conf")),
        ("libgcc_s.so.conf", include_str!("shipped/libgcc_s.so.conf")),
        ("libstdc++.so.conf", include_str!("shipped/libstdc++.so.conf")),
        ("libz.so.conf", include_str!("shipped/libz.so.conf")),
        ("libssl.so.conf", include_str!("shipped/libssl.so.conf")),
        ("libcrypto.so.conf", include_str!("shipped/libcrypto.so.conf")),
        ("types.conf", include_str!("shipped/types.conf")),
        ("syscalls.conf", include_str!("shipped/syscalls.conf")),
    ]
}
