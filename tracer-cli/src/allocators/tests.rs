//! Objects of this machine, and made-up maps.

use calltap_analyzers::arenas::areas::Caller;

use super::*;
use crate::exit_snapshot::maps;

fn own_maps() -> Vec<Mapped> {
    maps::parse(&std::fs::read("/proc/self/maps").unwrap())
}

#[test]
fn this_process_is_served_by_the_c_library() {
    let own = own_maps();
    let mut allocators = Allocators::default();
    for real_malloc in [Some(libc::malloc as *const () as u64), None] {
        let found = allocators.loaded(&own, real_malloc);
        let served: Vec<_> = found.iter().map(|a| (a.name.as_str(), a.serves)).collect();
        assert_eq!(served, [("glibc", true)]);
        assert!(found[0].object.contains("libc"), "{found:?}");
    }
}

#[test]
fn an_object_is_known_by_what_it_defines_not_by_what_it_wants() {
    let own = std::fs::File::open("/proc/self/exe").unwrap();
    assert_eq!(Definitions::read(&own).unwrap(), Definitions::default(), "malloc is another object's");
    let loaded = own_maps();
    let c = Mapped::holding(&loaded, libc::malloc as *const () as u64).unwrap().file().unwrap();
    let c = Definitions::read(&std::fs::File::open(c).unwrap()).unwrap();
    assert!(c.exports_malloc);
    assert_eq!(c.name(), Some("glibc"));
    assert!(Definitions::read(&std::fs::File::open("/dev/null").unwrap()).is_err());
}

#[test]
fn names_of_files_stand_in_for_what_cannot_be_read() {
    let text = b"1000-2000 r-xp 0 8:1 7 /gone/libjemalloc.so.2\n3000-4000 r-xp 0 8:1 8 /gone/libown.so\n";
    let loaded = |address| Allocators::default().loaded(&maps::parse(text), Some(address));
    let served = |address: u64| loaded(address).into_iter().map(|a| (a.name, a.serves)).collect::<Vec<_>>();
    assert_eq!(served(0x1800), [("jemalloc".to_owned(), true)]);
    assert_eq!(served(0x3800), [("libown.so".to_owned(), true)]);
    assert_eq!(served(0x9000), []);
}

#[test]
fn a_mapping_belongs_to_whoever_asked_the_c_library_for_it() {
    let text = b"1000-2000 r-xp 0 8:1 1 /bin/x\n2000-3000 r-xp 0 8:1 2 /lib/libc.so.6\n\
                 3000-4000 r-xp 0 8:1 3 /lib/ld-linux-x86-64.so.2\n4000-5000 r-xp 0 8:1 4 /lib/libtcmalloc.so.4\n\
                 5000-6000 r-xp 0 8:1 5 /c/libcalltap-01.so\n";
    let maps = maps::parse(text);
    let tcmalloc =
        Allocator { name: "tcmalloc".into(), object: "/lib/libtcmalloc.so.4".into(), serves: true };
    let own = Allocator { name: "jemalloc".into(), object: "/bin/x".into(), serves: false };
    let objects = caller::Objects { maps: &maps, allocators: &[tcmalloc, own] };
    let (program, c, loader, allocator, ours) = (0x1100, 0x2100, 0x3100, 0x4100, 0x5100);
    assert_eq!(objects.caller(program, Vec::new), Caller::Program);
    assert_eq!(objects.caller(0x9000, Vec::new), Caller::Program, "code made at run time");
    assert_eq!(objects.caller(loader, || vec![loader, program]), Caller::Runtime);
    assert_eq!(objects.caller(allocator, Vec::new), Caller::Allocator);
    assert_eq!(objects.caller(ours, Vec::new), Caller::Calltap);
    assert_eq!(objects.caller(c, Vec::new), Caller::Runtime);
    assert_eq!(objects.caller(c, || vec![c, c + 8, program]), Caller::Runtime);
    assert_eq!(objects.caller(c, || vec![c, program]), Caller::Program, "syscall()");
    assert_eq!(objects.caller(c, || vec![c, allocator, program]), Caller::Allocator);
}
