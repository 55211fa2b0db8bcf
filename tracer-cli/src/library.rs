//! The interposer's library: embedded in this binary, put where the loader can find it.
//!
//! There are two variants of the one library. Where functions are bound by slots, its exported symbols are local:
//! the loader takes no notice of them, and nothing is bound by name.

mod trusted_directory;

use std::borrow::Cow;
use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::Context;
use goblin::elf::Elf;
use goblin::elf::program_header::{PT_GNU_RELRO, PT_LOAD, ProgramHeader};
use goblin::elf64::section_header::{SHN_UNDEF, SHT_DYNSYM};
use goblin::elf64::sym::{SIZEOF_SYM, STB_LOCAL, STT_FUNC};
use nix::fcntl::{AT_FDCWD, AtFlags, FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::unistd::linkat;

static LIBRARY: &[u8] = include_bytes!(env!("CALLTAP_LIBRARY"));
/// Hash of the library's content: two builds never share a file.
const HASH: &str = env!("CALLTAP_LIBRARY_HASH");

/// How hooks come before the functions they are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Binding {
    /// By name, from the first instruction on; later by slots what that misses
    Symbols,
    /// In the slots of objects that import them, which can be chosen
    #[value(name = "got")]
    Slots,
}

impl Binding {
    /// Part of the file's name.
    fn suffix(self) -> &'static str {
        match self {
            Self::Symbols => "",
            Self::Slots => "-slots",
        }
    }

    /// The library's bytes.
    fn library(self) -> anyhow::Result<Cow<'static, [u8]>> {
        Ok(match self {
            Self::Symbols => Cow::Borrowed(LIBRARY),
            Self::Slots => Cow::Owned(with_local_functions(LIBRARY)?),
        })
    }
}

/// System calls by which glibc's loader maps the library, in every program that it is preloaded into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallsToLoad {
    /// One for each segment, and one more where a segment's zeros go on beyond the file's last page.
    pub mmap: u64,
    /// One for what is read-only after relocation.
    pub mprotect: u64,
}

impl CallsToLoad {
    /// Of the library that this binary holds.
    ///
    /// # Errors
    /// If that is damaged.
    pub fn of_the_interposer() -> anyhow::Result<Self> {
        let elf = Elf::parse(LIBRARY).context("the embedded library is damaged")?;
        Ok(Self::of(&elf.program_headers))
    }

    /// As `_dl_map_segments` and `_dl_protect_relro` make them (glibc's elf/dl-map-segments.h and elf/dl-reloc.c),
    /// for segments without gaps between them, as linkers lay them out.
    fn of(headers: &[ProgramHeader]) -> Self {
        let pages = |bytes: u64| bytes.div_ceil(PAGE);
        let segments = || headers.iter().filter(|header| header.p_type == PT_LOAD);
        let ends_in_zeros = |header: &&ProgramHeader| {
            pages(header.p_vaddr + header.p_memsz) > pages(header.p_vaddr + header.p_filesz)
        };
        let relro = headers.iter().filter(|header| header.p_type == PT_GNU_RELRO);
        Self {
            mmap: (segments().count() + segments().filter(ends_in_zeros).count()) as u64,
            mprotect: relro.count() as u64,
        }
    }
}

/// Bytes of a page of x86-64.
const PAGE: u64 = 4096;

/// A copy of the library whose exported functions are local symbols.
fn with_local_functions(library: &[u8]) -> anyhow::Result<Vec<u8>> {
    let elf = Elf::parse(library).context("the embedded library is damaged")?;
    let table = elf.section_headers.iter().find(|section| section.sh_type == SHT_DYNSYM);
    let table = table.context("the embedded library has no dynamic symbols")?;
    let mut library = library.to_vec();
    for (index, symbol) in elf.dynsyms.iter().enumerate() {
        if symbol.st_shndx != SHN_UNDEF as usize && symbol.st_type() == STT_FUNC {
            // `st_info` is the byte behind the name's four.
            library[table.sh_offset as usize + index * SIZEOF_SYM + 4] = STB_LOCAL << 4 | STT_FUNC;
        }
    }
    Ok(library)
}

/// Where the library is, as long as this value lives.
#[derive(Debug)]
pub struct Library {
    path: PathBuf,
    /// Keeps a library alive that is no file.
    _memory: Option<OwnedFd>,
}

impl Library {
    /// Finds or writes the variant of the library in the user's cache directory; where that cannot be used, keeps
    /// it in memory.
    ///
    /// # Errors
    /// If not even memory can hold it.
    pub fn place(binding: Binding) -> anyhow::Result<Self> {
        let path = cached(binding);
        if let Ok(path) = &path
            && open(path).is_some_and(|(_, metadata)| is_sealed(&metadata))
        {
            return Ok(Self { path: path.clone(), _memory: None });
        }
        let library = binding.library()?;
        match path.and_then(|path| put(path, &library)) {
            Ok(path) => Ok(Self { path, _memory: None }),
            Err(_) => in_memory(&library).context(
                "cannot place the interposer's library\n\
                 hint: a limit on open files or file sizes (ulimit -n, -f) counts",
            ),
        }
    }

    /// Its path, free of the characters that separate entries of `LD_PRELOAD`.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Why the cache is done without.
fn unusable() -> io::Error {
    io::ErrorKind::NotFound.into()
}

/// Where the variant is kept; the directory is made.
fn cached(binding: Binding) -> io::Result<PathBuf> {
    let base = match std::env::var_os("XDG_CACHE_HOME").filter(|path| Path::new(path).is_absolute()) {
        Some(cache) => PathBuf::from(cache),
        // A home that is not there (nobody's /nonexistent) is not for us to make.
        None => std::env::var_os("HOME")
            .map(PathBuf::from)
            .filter(|home| home.is_dir())
            .ok_or_else(unusable)?
            .join(".cache"),
    };
    let directory = base.join("calltap");
    let name = format!("libcalltap-{HASH}{}.so", binding.suffix());
    if !trusted_directory::may_be_made(&directory) {
        return Err(unusable());
    }
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&directory)?;
    // From here on without links: nobody turns the path into another one between our look and the loader's.
    let directory = directory.canonicalize()?;
    let path = directory.join(name);
    let separated = path.to_str().is_none_or(|path| path.contains([' ', ':', '\t', '\n', '$', ';']));
    if separated || !trusted_directory::is_trusted(&directory) {
        return Err(unusable());
    }
    Ok(path)
}

/// Has the library at its place, whole.
fn put(path: PathBuf, library: &[u8]) -> io::Result<PathBuf> {
    if is_ours(&path, library) {
        return Ok(path);
    }
    let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else { return Err(unusable()) };
    match write_nameless(directory, library) {
        Ok(file) => publish(&path, library, |path| link(&file, path))?,
        // Not every file system has files without a name.
        Err(_) => {
            let temporary = directory.join(format!(".{}.{}", name.display(), std::process::id()));
            let written = write_new(&temporary, library)
                .and_then(|()| publish(&path, library, |path| fs::hard_link(&temporary, path)));
            let _ = fs::remove_file(&temporary);
            written?;
        }
    }
    if is_ours(&path, library) { Ok(path) } else { Err(unusable()) }
}

/// Gives the finished file its name. One that another run has published meanwhile stays: it may be in
/// use, and a target is only given the very file that its tracer has seen.
fn publish(path: &Path, library: &[u8], link: impl Fn(&Path) -> io::Result<()>) -> io::Result<()> {
    let try_it = || match link(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && is_ours(path, library) => Ok(()),
        done => done,
    };
    match try_it() {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            fs::remove_file(path)?;
            try_it()
        }
        done => done,
    }
}

/// Writes the library into a file that has no name yet: nothing is left of it if we are killed.
fn write_nameless(directory: &Path, library: &[u8]) -> io::Result<File> {
    let mut options = OpenOptions::new();
    let mut file = options.write(true).mode(0o755).custom_flags(nix::libc::O_TMPFILE).open(directory)?;
    file.write_all(library)?;
    file.set_permissions(Permissions::from_mode(0o755))?;
    Ok(file)
}

/// Names a file that has no name.
fn link(file: &File, path: &Path) -> io::Result<()> {
    let own = format!("/proc/self/fd/{}", file.as_raw_fd());
    Ok(linkat(AT_FDCWD, own.as_str(), AT_FDCWD, path, AtFlags::AT_SYMLINK_FOLLOW)?)
}

fn write_new(path: &Path, library: &[u8]) -> io::Result<()> {
    let _ = fs::remove_file(path);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o755).open(path)?;
    file.write_all(library)?;
    file.set_permissions(Permissions::from_mode(0o755))
}

/// A file that nobody else can replace, as long as the library.
fn open(path: &Path) -> Option<(File, Metadata)> {
    // A pipe of this name must not make us wait for a writer.
    let flags = nix::libc::O_NOFOLLOW | nix::libc::O_NONBLOCK;
    let file = File::options().read(true).custom_flags(flags).open(path).ok()?;
    let metadata = file.metadata().ok()?;
    let mine = metadata.uid() == nix::unistd::geteuid().as_raw();
    let fits = metadata.is_file() && metadata.len() == LIBRARY.len() as u64;
    (mine && fits && metadata.mode() & 0o022 == 0).then_some((file, metadata))
}

/// Whether the file is this library, whole, and can be replaced by nobody else. It is sealed then.
fn is_ours(path: &Path, library: &[u8]) -> bool {
    let Some((mut file, _)) = open(path) else { return false };
    // In pieces that stay in the cache: a copy of the whole takes longer to get memory for than to compare.
    let mut piece = [0; 1 << 16];
    let same = library.chunks(piece.len()).all(|expected| {
        let piece = &mut piece[..expected.len()];
        file.read_exact(piece).is_ok() && piece == expected
    });
    if same {
        seal(&file);
    }
    same
}

/// Marks a file as compared by a time of its last change that no change gives it: to compare it takes a start 0.8 ms.
///
/// What it holds is on disk before: a machine that fails does not keep the time and lose the bytes.
fn seal(file: &File) {
    // Where it cannot be marked it is compared each time.
    let _ = file.sync_data().and_then(|()| file.set_modified(seal_time()));
}

/// Whether nothing has been written to the file since it was compared.
fn is_sealed(metadata: &Metadata) -> bool {
    metadata.modified().is_ok_and(|modified| modified == seal_time())
}

/// Some moment of 2000 to 2018, by the library's content: no clock that is right shows it any more, and every file system
/// can keep it, be it to two seconds.
fn seal_time() -> SystemTime {
    let hash = HASH.get(..8).and_then(|digits| u64::from_str_radix(digits, 16).ok()).unwrap_or_default();
    SystemTime::UNIX_EPOCH + Duration::from_secs(YEAR_2000 + hash % SEALS * 2)
}

/// In seconds since 1970.
const YEAR_2000: u64 = 946_684_800;
/// Half of the seconds of 18 years.
const SEALS: u64 = 284_000_000;

fn in_memory(library: &[u8]) -> anyhow::Result<Library> {
    let memory = memfd_create(c"libcalltap.so", MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING)?;
    let path = PathBuf::from(format!("/proc/{}/fd/{}", std::process::id(), memory.as_raw_fd()));
    let mut file = File::from(memory);
    file.write_all(library)?;
    // The target can open it, and could else write into what others of its session are about to load.
    fcntl(&file, FcntlArg::F_ADD_SEALS(SealFlag::all()))?;
    Ok(Library { path, _memory: Some(file.into()) })
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::process::Command;

    use super::*;

    /// How often a program makes each system call of memory, by strace; None without strace.
    fn counted(program: &str, preload: Option<&Path>) -> Option<HashMap<String, u64>> {
        let directory = tempfile::tempdir().unwrap();
        let summary = directory.path().join("summary");
        let mut strace = Command::new("strace");
        strace.args(["-f", "-c", "-U", "calls,name", "-e", "trace=%memory", "-o"]).arg(&summary);
        strace.args(preload.map(|library| format!("-ELD_PRELOAD={}", library.display()))).arg(program);
        let output = strace.env_remove("LD_PRELOAD").output().ok()?;
        assert!(output.status.success(), "{output:?}");
        let rows = fs::read_to_string(summary).unwrap();
        let row = |line: &str| {
            let (calls, name) = line.trim().split_once(' ')?;
            Some((name.trim().to_owned(), calls.parse().ok()?)).filter(|(name, _)| name != "total")
        };
        Some(rows.lines().filter_map(row).collect())
    }

    #[test]
    fn loading_the_library_takes_the_calls_that_strace_counts() {
        let library = Library::place(Binding::Symbols).unwrap();
        let load = CallsToLoad::of_the_interposer().unwrap();
        for program in ["/bin/true", "/bin/ls"] {
            let Some(without) = counted(program, None) else {
                eprintln!("skipped: strace is not installed");
                return;
            };
            let mut expected = without.clone();
            *expected.get_mut("mmap").unwrap() += load.mmap;
            *expected.get_mut("mprotect").unwrap() += load.mprotect;
            assert_eq!(counted(program, Some(library.path())), Some(expected), "{without:?}");
        }
    }

    #[test]
    fn the_seal_goes_with_the_first_change() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("library");
        let sealed = || open(&path).is_some_and(|(_, metadata)| is_sealed(&metadata));
        write_new(&path, LIBRARY).unwrap();
        assert!(!sealed(), "nobody has compared it");
        assert!(is_ours(&path, LIBRARY) && sealed());
        let mut changed = LIBRARY.to_vec();
        changed[LIBRARY.len() / 2] ^= 1;
        let write = |bytes: &[u8]| File::options().write(true).open(&path).unwrap().write_all(bytes).unwrap();
        write(&changed);
        assert!(!sealed() && !is_ours(&path, LIBRARY) && !sealed());
        write(LIBRARY);
        assert!(!sealed() && is_ours(&path, LIBRARY) && sealed());
        File::options().write(true).open(&path).unwrap().set_len(10).unwrap();
        assert!(!sealed() && !is_ours(&path, LIBRARY));
    }

    #[test]
    fn the_variant_for_slots_has_the_same_functions_under_no_name_of_their_own() {
        let slots = with_local_functions(LIBRARY).unwrap();
        let (by_name, by_slot) = (Elf::parse(LIBRARY).unwrap(), Elf::parse(&slots).unwrap());
        let defined = |elf: &Elf<'_>, binding: u8| {
            let functions = elf.dynsyms.iter().filter(|symbol| symbol.is_function() && !symbol.is_import());
            functions.filter(|symbol| symbol.st_bind() == binding).count()
        };
        assert!(defined(&by_name, goblin::elf64::sym::STB_GLOBAL) > 50);
        assert_eq!(defined(&by_slot, goblin::elf64::sym::STB_GLOBAL), 0);
        assert_eq!(defined(&by_slot, STB_LOCAL), defined(&by_name, goblin::elf64::sym::STB_GLOBAL));
    }
}
