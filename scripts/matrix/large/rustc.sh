# Compiles Rust with optimisation to the same bytes and runs that: threads, a panic that is caught, hash tables.
#
# torture: needs rustc
# torture: version rustc --version
cat >program.rs <<'PROGRAM'
use std::collections::{BTreeMap, HashMap};
use std::thread;
fn main() {
    let handles: Vec<_> = (0..8)
        .map(|seed: u64| {
            thread::spawn(move || {
                let mut counts = HashMap::new();
                (0..50_000u64).for_each(|i| *counts.entry((i * seed + i) % 1009).or_insert(0u64) += i);
                counts.values().sum::<u64>() + counts.len() as u64
            })
        })
        .collect();
    let sums: Vec<u64> = handles.into_iter().map(|handle| handle.join().unwrap()).collect();
    println!("{sums:?}");
    let words: BTreeMap<String, usize> = (0..1000).map(|i| (format!("word {}", i * 37 % 1000), i)).collect();
    println!("{:?}", words.iter().nth(500));
    std::panic::set_hook(Box::new(|_| {}));
    println!("{}", thread::spawn(|| panic!("caught")).join().is_err());
    std::process::exit(4);
}
PROGRAM
rustc --edition 2021 -C opt-level=2 -C codegen-units=3 program.rs -o one
echo "status $?"
sha256sum <one
./one
echo "status $?"
echo 'fn main() { let x: u8 = "text"; }' | rustc - -o nothing 2>&1 | grep -c 'E0308'
