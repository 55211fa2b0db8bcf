//! The list of tapped functions: the only place where a function is named.
//!
//! From it are made the [`Function`](super::Function) enum and its [`ROWS`](super::ROWS), the plain
//! hooks of the interposer, what `--tap` chooses from, and `docs/functions.md`. A row is
//!
//! ```text
//! Family Provider style name(arguments) -> Returned = effect, "what it does";
//! ```
//!
//! * `plain`: the hook is made from the row; the arguments are those of the C function.
//! * `custom`: the hook is written by hand in the interposer, because what is worth recording is not
//!   what is passed (an array, an out-parameter, a stream's descriptor) or because the function
//!   returns twice or not at all. The arguments are those that are recorded.
//! * `Path` and `Text` arguments are copied behind the argument words and take no word themselves;
//!   numbers in an effect count words.
//!
//! Rows are append-only within a release: a function's number is its place here.

/// Calls `$callback!` with all rows of the list.
#[macro_export]
macro_rules! for_each_function {
    ($callback:ident) => {
        $callback! {
            // Heap blocks: the C family.
            Memory C plain malloc(size: Size) -> Address = Allocate(C, In(0)), "acquires a block";
            Memory C plain calloc(count: Size, size: Size) -> Address = Allocate(C, Product(0)), "acquires a zeroed block";
            Memory C plain realloc(block: Address, size: Size) -> Address = Reallocate(In(1)), "releases a block and acquires one with its content";
            Memory C plain reallocarray(block: Address, count: Size, size: Size) -> Address = Reallocate(Product(1)), "realloc with an overflow check";
            Memory C plain free(block: Address) -> Nothing = Free(C), "releases a block";
            Memory Newer plain cfree(block: Address) -> Nothing = Free(C), "releases a block (old name)";
            Memory Newer plain free_sized(block: Address, size: Size) -> Nothing = Free(C), "releases a block of known size (C23)";
            Memory Newer plain free_aligned_sized(block: Address, alignment: Size, size: Size) -> Nothing = Free(C), "releases an aligned block of known size (C23)";
            Memory C custom posix_memalign(block: Address, alignment: Size, size: Size) -> Code = AllocateAt(C, In(2)), "acquires an aligned block";
            Memory C plain aligned_alloc(alignment: Size, size: Size) -> Address = Allocate(C, In(1)), "acquires an aligned block";
            Memory C plain memalign(alignment: Size, size: Size) -> Address = Allocate(C, In(1)), "acquires an aligned block";
            Memory C plain valloc(size: Size) -> Address = Allocate(C, In(0)), "acquires a page-aligned block";
            Memory C plain pvalloc(size: Size) -> Address = Allocate(C, In(0)), "acquires whole pages";
            // Strings in blocks of their own. libc's internal uses do not come here, so a string that
            // the run-time keeps (a locale's name) is not taken for the program's.
            Memory C custom strdup(block: Address, size: Size) -> Address = AllocateAt(C, In(1)), "copies a string into a block";
            Memory C custom __strdup(block: Address, size: Size) -> Address = AllocateAt(C, In(1)), "alias of strdup";
            Memory C custom strndup(block: Address, size: Size) -> Address = AllocateAt(C, In(1)), "copies a bounded string into a block";
            Memory C custom __strndup(block: Address, size: Size) -> Address = AllocateAt(C, In(1)), "alias of strndup";
            Memory C custom wcsdup(block: Address, size: Size) -> Address = AllocateAt(C, In(1)), "copies a wide string into a block";
            Memory C custom realpath(block: Address, size: Size) -> Address = AllocateAt(C, In(1)), "resolves a path, into a block if asked to";
            Memory C custom canonicalize_file_name(block: Address, size: Size) -> Address = AllocateAt(C, In(1)), "resolves a path into a block";
            Memory C custom get_current_dir_name(block: Address, size: Size) -> Address = AllocateAt(C, In(1)), "names the working directory in a block";
            // Heap blocks: the aliases that glibc exports for allocators built on it.
            Memory C plain __libc_malloc(size: Size) -> Address = Allocate(C, In(0)), "alias of malloc";
            Memory C plain __libc_calloc(count: Size, size: Size) -> Address = Allocate(C, Product(0)), "alias of calloc";
            Memory C plain __libc_realloc(block: Address, size: Size) -> Address = Reallocate(In(1)), "alias of realloc";
            Memory C plain __libc_free(block: Address) -> Nothing = Free(C), "alias of free";
            Memory C plain __libc_memalign(alignment: Size, size: Size) -> Address = Allocate(C, In(1)), "alias of memalign";
            Memory C plain __libc_valloc(size: Size) -> Address = Allocate(C, In(0)), "alias of valloc";
            Memory C plain __libc_pvalloc(size: Size) -> Address = Allocate(C, In(0)), "alias of pvalloc";
            // Heap blocks: the twenty C++ operators (Itanium ABI names).
            Memory Cxx plain _Znwm(size: Size) -> Address = Allocate(New, In(0)), "operator new";
            Memory Cxx plain _ZnwmRKSt9nothrow_t(size: Size, nothrow: Address) -> Address = Allocate(New, In(0)), "operator new(nothrow)";
            Memory Cxx plain _ZnwmSt11align_val_t(size: Size, alignment: Size) -> Address = Allocate(New, In(0)), "operator new(align_val_t)";
            Memory Cxx plain _ZnwmSt11align_val_tRKSt9nothrow_t(size: Size, alignment: Size, nothrow: Address) -> Address = Allocate(New, In(0)), "operator new(align_val_t, nothrow)";
            Memory Cxx plain _Znam(size: Size) -> Address = Allocate(NewArray, In(0)), "operator new[]";
            Memory Cxx plain _ZnamRKSt9nothrow_t(size: Size, nothrow: Address) -> Address = Allocate(NewArray, In(0)), "operator new[](nothrow)";
            Memory Cxx plain _ZnamSt11align_val_t(size: Size, alignment: Size) -> Address = Allocate(NewArray, In(0)), "operator new[](align_val_t)";
            Memory Cxx plain _ZnamSt11align_val_tRKSt9nothrow_t(size: Size, alignment: Size, nothrow: Address) -> Address = Allocate(NewArray, In(0)), "operator new[](align_val_t, nothrow)";
            Memory Cxx plain _ZdlPv(block: Address) -> Nothing = Free(New), "operator delete";
            Memory Cxx plain _ZdlPvRKSt9nothrow_t(block: Address, nothrow: Address) -> Nothing = Free(New), "operator delete(nothrow)";
            Memory Cxx plain _ZdlPvm(block: Address, size: Size) -> Nothing = Free(New), "operator delete of known size";
            Memory Cxx plain _ZdlPvSt11align_val_t(block: Address, alignment: Size) -> Nothing = Free(New), "operator delete(align_val_t)";
            Memory Cxx plain _ZdlPvmSt11align_val_t(block: Address, size: Size, alignment: Size) -> Nothing = Free(New), "operator delete(align_val_t) of known size";
            Memory Cxx plain _ZdlPvSt11align_val_tRKSt9nothrow_t(block: Address, alignment: Size, nothrow: Address) -> Nothing = Free(New), "operator delete(align_val_t, nothrow)";
            Memory Cxx plain _ZdaPv(block: Address) -> Nothing = Free(NewArray), "operator delete[]";
            Memory Cxx plain _ZdaPvRKSt9nothrow_t(block: Address, nothrow: Address) -> Nothing = Free(NewArray), "operator delete[](nothrow)";
            Memory Cxx plain _ZdaPvm(block: Address, size: Size) -> Nothing = Free(NewArray), "operator delete[] of known size";
            Memory Cxx plain _ZdaPvSt11align_val_t(block: Address, alignment: Size) -> Nothing = Free(NewArray), "operator delete[](align_val_t)";
            Memory Cxx plain _ZdaPvmSt11align_val_t(block: Address, size: Size, alignment: Size) -> Nothing = Free(NewArray), "operator delete[](align_val_t) of known size";
            Memory Cxx plain _ZdaPvSt11align_val_tRKSt9nothrow_t(block: Address, alignment: Size, nothrow: Address) -> Nothing = Free(NewArray), "operator delete[](align_val_t, nothrow)";
            // Mappings.
            Memory C plain mmap(address: Address, length: Size, protection: Int, flags: Int, fd: Fd, offset: Offset) -> Mapping = Map, "maps pages";
            Memory C plain mmap64(address: Address, length: Size, protection: Int, flags: Int, fd: Fd, offset: Offset) -> Mapping = Map, "maps pages";
            Memory C plain munmap(address: Address, length: Size) -> Int = Unmap, "unmaps pages";
            Memory C plain mremap(old: Address, old_length: Size, new_length: Size, flags: Int, new: Address) -> Mapping = Remap, "moves or resizes a mapping";
            Memory C plain brk(end: Address) -> Int = Effect::None, "sets the end of the data segment";
            Memory C plain sbrk(increment: Offset) -> Mapping = Effect::None, "moves the end of the data segment";
            Memory C plain mprotect(address: Address, length: Size, protection: Int) -> Int = Effect::None, "changes the protection of pages";
            Memory C plain madvise(address: Address, length: Size, advice: Int) -> Int = Effect::None, "advises the kernel on pages";
            Memory C plain shmat(segment: Int, address: Address, flags: Int) -> Mapping = Effect::None, "attaches a System V segment";
            Memory C plain shmdt(address: Address) -> Int = Effect::None, "detaches a System V segment";
            // Descriptors: files.
            Fd C plain open(path: Path, flags: Int, mode: Mode) -> Int = Open(File, At::Returned), "opens a file";
            Fd C plain open64(path: Path, flags: Int, mode: Mode) -> Int = Open(File, At::Returned), "opens a file";
            Fd C plain openat(directory: Fd, path: Path, flags: Int, mode: Mode) -> Int = Open(File, At::Returned), "opens a file below a directory";
            Fd C plain openat64(directory: Fd, path: Path, flags: Int, mode: Mode) -> Int = Open(File, At::Returned), "opens a file below a directory";
            Fd C plain creat(path: Path, mode: Mode) -> Int = Open(File, At::Returned), "creates a file";
            Fd C plain creat64(path: Path, mode: Mode) -> Int = Open(File, At::Returned), "creates a file";
            Fd C plain __open_2(path: Path, flags: Int) -> Int = Open(File, At::Returned), "open with _FORTIFY_SOURCE";
            Fd C plain __open64_2(path: Path, flags: Int) -> Int = Open(File, At::Returned), "open with _FORTIFY_SOURCE";
            Fd C plain __openat_2(directory: Fd, path: Path, flags: Int) -> Int = Open(File, At::Returned), "openat with _FORTIFY_SOURCE";
            Fd C plain __openat64_2(directory: Fd, path: Path, flags: Int) -> Int = Open(File, At::Returned), "openat with _FORTIFY_SOURCE";
            Fd C plain open_by_handle_at(mount: Fd, handle: Address, flags: Int) -> Int = Open(File, At::Returned), "opens a file by handle";
            Fd C plain mkstemp(template: Path) -> Int = Open(File, At::Returned), "makes and opens a temporary file";
            Fd C plain mkstemp64(template: Path) -> Int = Open(File, At::Returned), "makes and opens a temporary file";
            Fd C plain mkostemp(template: Path, flags: Int) -> Int = Open(File, At::Returned), "makes and opens a temporary file";
            Fd C plain mkostemp64(template: Path, flags: Int) -> Int = Open(File, At::Returned), "makes and opens a temporary file";
            Fd C plain mkstemps(template: Path, suffix: Int) -> Int = Open(File, At::Returned), "makes and opens a temporary file";
            Fd C plain mkstemps64(template: Path, suffix: Int) -> Int = Open(File, At::Returned), "makes and opens a temporary file";
            Fd C plain mkostemps(template: Path, suffix: Int, flags: Int) -> Int = Open(File, At::Returned), "makes and opens a temporary file";
            Fd C plain mkostemps64(template: Path, suffix: Int, flags: Int) -> Int = Open(File, At::Returned), "makes and opens a temporary file";
            // Descriptors: streams and directories. `fd` is asked of the stream itself.
            Fd C custom fopen(path: Path, fd: Fd) -> Address = Open(Stream, At::Argument(0)), "opens a stream";
            Fd C custom fopen64(path: Path, fd: Fd) -> Address = Open(Stream, At::Argument(0)), "opens a stream";
            Fd C custom freopen(path: Path, old: Fd, new: Fd) -> Address = Reopen(Stream), "opens another file in a stream";
            Fd C custom freopen64(path: Path, old: Fd, new: Fd) -> Address = Reopen(Stream), "opens another file in a stream";
            Fd C plain fdopen(fd: Fd, mode: Address) -> Address = Effect::None, "makes a stream of a descriptor";
            Fd C custom tmpfile(fd: Fd) -> Address = Open(Stream, At::Argument(0)), "opens an unnamed temporary file";
            Fd C custom tmpfile64(fd: Fd) -> Address = Open(Stream, At::Argument(0)), "opens an unnamed temporary file";
            Fd C custom popen(command: Text, fd: Fd) -> Address = Open(Stream, At::Argument(0)), "runs a command behind a pipe";
            Fd C custom fclose(stream: Address, fd: Fd) -> Int = Close(1), "closes a stream";
            Fd C custom pclose(stream: Address, fd: Fd) -> Int = Close(1), "closes a popen stream";
            Fd C plain fcloseall() -> Int = Effect::None, "closes all streams";
            Fd C custom opendir(path: Path, fd: Fd) -> Address = Open(Directory, At::Argument(0)), "opens a directory";
            Fd C plain fdopendir(fd: Fd) -> Address = Effect::None, "makes a directory stream of a descriptor";
            Fd C custom closedir(directory: Address, fd: Fd) -> Int = Close(1), "closes a directory";
            // Descriptors: sockets and pipes.
            Fd C plain socket(domain: Int, type_: Int, protocol: Int) -> Int = Open(Socket, At::Returned), "makes a socket";
            Fd C custom socketpair(one: Fd, other: Fd, domain: Int, type_: Int) -> Int = Open(Socket, At::Pair(0)), "makes two connected sockets";
            Fd C plain accept(socket: Fd, address: Address, length: Address) -> Int = Open(Socket, At::Returned), "accepts a connection";
            Fd C plain accept4(socket: Fd, address: Address, length: Address, flags: Int) -> Int = Open(Socket, At::Returned), "accepts a connection";
            Fd C custom pipe(read_end: Fd, write_end: Fd) -> Int = Open(Pipe, At::Pair(0)), "makes a pipe";
            Fd C custom pipe2(read_end: Fd, write_end: Fd, flags: Int) -> Int = Open(Pipe, At::Pair(0)), "makes a pipe";
            Fd C custom recvmsg(socket: Fd) -> Count = Receive, "receives a message; descriptors in it follow";
            Fd C custom recvmmsg(socket: Fd) -> Int = Receive, "receives messages; descriptors in them follow";
            // Descriptors: copies and closes.
            Fd C plain dup(fd: Fd) -> Int = Effect::Duplicate, "copies a descriptor";
            Fd C plain dup2(old: Fd, new: Fd) -> Int = DuplicateOnto, "copies a descriptor onto another";
            Fd C plain dup3(old: Fd, new: Fd, flags: Int) -> Int = DuplicateOnto, "copies a descriptor onto another";
            Fd C plain fcntl(fd: Fd, command: Int, argument: Long) -> Int = Control, "controls a descriptor; may copy it";
            Fd C plain fcntl64(fd: Fd, command: Int, argument: Long) -> Int = Control, "controls a descriptor; may copy it";
            Fd C plain close(fd: Fd) -> Int = Close(0), "closes a descriptor";
            Fd C plain __close(fd: Fd) -> Int = Close(0), "alias of close";
            Fd C plain close_range(first: Count32, last: Count32, flags: Int) -> Int = CloseRange, "closes a range of descriptors";
            Fd C plain closefrom(first: Fd) -> Nothing = CloseFrom, "closes a descriptor and all above";
            // Descriptors: of the kernel's other objects.
            Fd C plain epoll_create(size: Int) -> Int = Open(Epoll, At::Returned), "makes an epoll instance";
            Fd C plain epoll_create1(flags: Int) -> Int = Open(Epoll, At::Returned), "makes an epoll instance";
            Fd C plain eventfd(initial: Count32, flags: Int) -> Int = Open(Eventfd, At::Returned), "makes an event counter";
            Fd C custom signalfd(fd: Fd, flags: Int) -> Int = Open(Signalfd, At::Returned), "makes or changes a signal descriptor";
            Fd C plain timerfd_create(clock: Int, flags: Int) -> Int = Open(Timerfd, At::Returned), "makes a timer";
            Fd C plain inotify_init() -> Int = Open(Inotify, At::Returned), "makes an inotify instance";
            Fd C plain inotify_init1(flags: Int) -> Int = Open(Inotify, At::Returned), "makes an inotify instance";
            Fd C plain fanotify_init(flags: Count32, event_flags: Count32) -> Int = Open(Fanotify, At::Returned), "makes a fanotify group";
            Fd C plain memfd_create(name: Text, flags: Count32) -> Int = Open(Memfd, At::Returned), "makes an anonymous file";
            Fd Newer plain memfd_secret(flags: Count32) -> Int = Open(Memfd, At::Returned), "makes a secret anonymous file";
            Fd Newer plain pidfd_open(pid: Int, flags: Count32) -> Int = Open(Pidfd, At::Returned), "opens a process";
            Fd Newer plain pidfd_getfd(pidfd: Fd, fd: Fd, flags: Count32) -> Int = Open(Received, At::Returned), "copies a descriptor of another process";
            Fd C plain shm_open(name: Path, flags: Int, mode: Mode) -> Int = Open(SharedMemory, At::Returned), "opens shared memory";
            Fd C plain mq_open(name: Path, flags: Int, mode: Mode, attributes: Address) -> Int = Open(MessageQueue, At::Returned), "opens a message queue";
            Fd C plain mq_close(queue: Fd) -> Int = Close(0), "closes a message queue";
            Fd C plain posix_openpt(flags: Int) -> Int = Open(Pty, At::Returned), "opens a pseudoterminal";
            Fd C plain getpt() -> Int = Open(Pty, At::Returned), "opens a pseudoterminal";
            Fd C custom openpty(master: Fd, slave: Fd) -> Int = Open(Pty, At::Pair(0)), "opens both ends of a pseudoterminal";
            Fd C custom forkpty(master: Fd) -> Int = Open(Pty, At::Argument(0)), "forks behind a pseudoterminal";
            Fd Newer plain fsopen(name: Text, flags: Count32) -> Int = Open(Mount, At::Returned), "opens a file system context";
            Fd Newer plain fspick(directory: Fd, path: Path, flags: Count32) -> Int = Open(Mount, At::Returned), "opens a mounted file system context";
            Fd Newer plain fsmount(context: Fd, flags: Count32, attributes: Count32) -> Int = Open(Mount, At::Returned), "makes a mount";
            Fd Newer plain open_tree(directory: Fd, path: Path, flags: Count32) -> Int = Open(Mount, At::Returned), "picks a mount";
            // Input and output.
            Io C plain read(fd: Fd, buffer: Address, count: Size) -> Count = Effect::None, "reads";
            Io C plain __read_chk(fd: Fd, buffer: Address, count: Size, room: Size) -> Count = Effect::None, "read with _FORTIFY_SOURCE";
            Io C plain write(fd: Fd, buffer: Address, count: Size) -> Count = Effect::None, "writes";
            Io C plain pread(fd: Fd, buffer: Address, count: Size, offset: Offset) -> Count = Effect::None, "reads at an offset";
            Io C plain pread64(fd: Fd, buffer: Address, count: Size, offset: Offset) -> Count = Effect::None, "reads at an offset";
            Io C plain pwrite(fd: Fd, buffer: Address, count: Size, offset: Offset) -> Count = Effect::None, "writes at an offset";
            Io C plain pwrite64(fd: Fd, buffer: Address, count: Size, offset: Offset) -> Count = Effect::None, "writes at an offset";
            Io C plain readv(fd: Fd, vector: Address, count: Int) -> Count = Effect::None, "reads into several buffers";
            Io C plain writev(fd: Fd, vector: Address, count: Int) -> Count = Effect::None, "writes several buffers";
            Io C plain send(socket: Fd, buffer: Address, length: Size, flags: Int) -> Count = Effect::None, "sends";
            Io C plain sendto(socket: Fd, buffer: Address, length: Size, flags: Int, address: Address, address_length: Count32) -> Count = Effect::None, "sends to an address";
            Io C plain sendmsg(socket: Fd, message: Address, flags: Int) -> Count = Effect::None, "sends a message";
            Io C plain recv(socket: Fd, buffer: Address, length: Size, flags: Int) -> Count = Effect::None, "receives";
            Io C plain __recv_chk(socket: Fd, buffer: Address, length: Size, room: Size, flags: Int) -> Count = Effect::None, "recv with _FORTIFY_SOURCE";
            Io C plain recvfrom(socket: Fd, buffer: Address, length: Size, flags: Int, address: Address, address_length: Address) -> Count = Effect::None, "receives with the address";
            Io C plain connect(socket: Fd, address: Address, length: Count32) -> Int = Effect::None, "connects";
            Io C plain poll(descriptors: Address, count: Size, timeout_ms: Int) -> Int = Effect::None, "waits for descriptors";
            Io C plain ppoll(descriptors: Address, count: Size, timeout: Address, mask: Address) -> Int = Effect::None, "waits for descriptors";
            Io C plain select(count: Int, readable: Address, writable: Address, exceptional: Address, timeout: Address) -> Int = Effect::None, "waits for descriptors";
            Io C plain pselect(count: Int, readable: Address, writable: Address, exceptional: Address, timeout: Address, mask: Address) -> Int = Effect::None, "waits for descriptors";
            Io C plain epoll_wait(epoll: Fd, events: Address, room: Int, timeout_ms: Int) -> Int = Effect::None, "waits for events";
            Io C plain epoll_pwait(epoll: Fd, events: Address, room: Int, timeout_ms: Int, mask: Address) -> Int = Effect::None, "waits for events";
            Io C plain fsync(fd: Fd) -> Int = Effect::None, "writes a file through to its device";
            Io C plain fdatasync(fd: Fd) -> Int = Effect::None, "writes a file's data through to its device";
            // Locks. Their results are error numbers.
            Lock C plain pthread_mutex_lock(mutex: Address) -> Code = Effect::None, "locks a mutex";
            Lock C plain pthread_mutex_timedlock(mutex: Address, deadline: Address) -> Code = Effect::None, "locks a mutex before a deadline";
            Lock C plain pthread_cond_wait(condition: Address, mutex: Address) -> Code = Effect::None, "waits for a condition";
            Lock C plain pthread_cond_timedwait(condition: Address, mutex: Address, deadline: Address) -> Code = Effect::None, "waits for a condition until a deadline";
            Lock C plain pthread_rwlock_rdlock(lock: Address) -> Code = Effect::None, "locks for reading";
            Lock C plain pthread_rwlock_wrlock(lock: Address) -> Code = Effect::None, "locks for writing";
            Lock C plain sem_wait(semaphore: Address) -> Int = Effect::None, "waits for a semaphore";
            // Processes. `custom` ones that do not return are recorded at their entry.
            Process C plain fork() -> Int = Effect::Fork, "makes a child process";
            Process C plain _Fork() -> Int = Effect::Fork, "makes a child process without running handlers";
            Process C custom vfork() -> Int = Effect::Fork, "makes a child process in the same memory";
            Process C plain daemon(stay: Int, keep_output: Int) -> Int = Effect::Fork, "goes on in the background";
            Process C custom posix_spawn(path: Path, child: Int) -> Code = Effect::Fork, "runs a program in a child process";
            Process C custom posix_spawnp(path: Path, child: Int) -> Code = Effect::Fork, "runs a program in a child process";
            Process C plain system(command: Text) -> Int = Effect::None, "runs a shell command";
            Process C custom execve(path: Path) -> Int = Execute, "replaces the program";
            Process C custom execv(path: Path) -> Int = Execute, "replaces the program";
            Process C custom execvp(path: Path) -> Int = Execute, "replaces the program";
            Process C custom execvpe(path: Path) -> Int = Execute, "replaces the program";
            Process C custom execl(path: Path) -> Int = Execute, "replaces the program";
            Process C custom execle(path: Path) -> Int = Execute, "replaces the program";
            Process C custom execlp(path: Path) -> Int = Execute, "replaces the program";
            Process C custom fexecve(fd: Fd) -> Int = Execute, "replaces the program";
            Process C custom execveat(directory: Fd, path: Path) -> Int = Execute, "replaces the program";
            Process C custom _exit(status: Int) -> Nothing = Exit, "ends the process";
            Process C custom _Exit(status: Int) -> Nothing = Exit, "ends the process";
            Process C custom quick_exit(status: Int) -> Nothing = Exit, "ends the process";
            Process C custom pthread_setname_np(thread: Size, name: Text) -> Code = NameThread, "names a thread";
            // Limits: what a program reads before it decides how much memory to ask for.
            Memory C custom getrlimit(resource: Int, soft: Size, hard: Size) -> Int = Effect::None, "reads a resource limit";
            Memory C custom getrlimit64(resource: Int, soft: Size, hard: Size) -> Int = Effect::None, "reads a resource limit";
            Memory C custom prlimit(process: Int, resource: Int, old: Address, soft: Size, hard: Size) -> Int = Effect::None, "reads or sets a process's resource limit";
            Memory C custom prlimit64(process: Int, resource: Int, old: Address, soft: Size, hard: Size) -> Int = Effect::None, "reads or sets a process's resource limit";
            Memory C custom sysconf(name: Int) -> Long = Effect::None, "reads a limit of the system";
            Memory C plain getdtablesize() -> Int = Effect::None, "reads the limit of open descriptors";
        }
    };
}
