//! What an object's path says of it.

/// The last component of a path.
#[must_use]
pub fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Whether an object of this name is the dynamic loader.
#[must_use]
pub fn is_loader(name: &str) -> bool {
    ["ld-linux", "ld-2.", "ld.so"].iter().any(|start| name.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loaders_of_all_distributions_are_known() {
        for path in ["/lib64/ld-linux-x86-64.so.2", "/lib/x86_64-linux-gnu/ld-2.31.so", "ld.so"] {
            assert!(is_loader(base(path)), "{path}");
        }
        for path in ["/lib/libld-linux.so", "/ld-linux/libc.so.6", "/bin/ld", ""] {
            assert!(!is_loader(base(path)), "{path}");
        }
    }
}
