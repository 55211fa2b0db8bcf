//! Events made by hand, and what a printer writes of them.

use std::cell::RefCell;
use std::io::{self, Write};
use std::path::Path;
use std::rc::Rc;

use calltap_channel::trace::walk::Values;

use crate::prototype::abi;
use crate::prototype::parse::Reader;
use crate::trace::event::{Copied, Entered, Function, Returned, SystemCall, TraceEvent, What};
use crate::trace::print::{End, Sink, Style, To};

/// The stack address of calls that do not say another.
pub const SP: u64 = 0x7ffe_0000_1000;

/// What has been written.
#[derive(Clone, Default)]
struct Written(Rc<RefCell<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A printer and a program whose events it is told.
pub struct Stage {
    sink: Box<dyn Sink>,
    written: Written,
    /// When the next event happens.
    pub at_ns: u64,
    /// The thread to which it happens.
    pub tid: u32,
    /// Its process.
    pub pid: u32,
}

/// A function, and how it is called.
#[derive(Clone)]
pub struct Made {
    pub function: Rc<Function>,
    pub values: Values,
    pub vectors: [u64; 2],
    pub x87: [[u8; 10]; 2],
    pub errno: i32,
    pub memory: Copied,
    pub sp: u64,
    pub site: u64,
    pub caller: (&'static str, u64),
    pub entry_only: bool,
    pub left: bool,
    pub stack: u32,
}

/// A function of `libtest.so` as the last line of a configuration file says it.
pub fn function(conf: &str) -> Made {
    let last = conf.trim().lines().last().unwrap();
    let head = last.split('(').filter(|part| part.ends_with(|c: char| c.is_alphanumeric() || c == '_'));
    let file = Reader {
        path: Path::new("test.conf"),
        shipped: false,
        around: &|_| None,
        import: &|_| Err("nothing is imported".to_owned()),
        complain: &|complaint| panic!("{complaint}"),
    }
    .read(conf);
    let found =
        head.filter_map(|part| file.prototype(part.split_whitespace().last()?.trim_start_matches('*')));
    let prototype = Rc::clone(found.into_iter().next().expect("the last line is a prototype"));
    let places = Rc::new(abi::places(&prototype));
    made(Function {
        number: prototype.name.bytes().fold(7, |number, byte| number * 31 % 65_521 + u32::from(byte)),
        name: prototype.name.clone(),
        provider: "/lib/libtest.so".to_owned(),
        provider_name: "libtest.so".to_owned(),
        prototype: Some(prototype),
        places: Some(places),
    })
}

/// A function of which nothing is known.
pub fn unknown(name: &str) -> Made {
    made(Function {
        number: 9,
        name: name.to_owned(),
        provider: "/lib/libtest.so".to_owned(),
        provider_name: "libtest.so".to_owned(),
        prototype: None,
        places: None,
    })
}

fn made(function: Function) -> Made {
    Made {
        function: Rc::new(function),
        values: Values { sp: SP, ..Values::default() },
        vectors: [0; 2],
        x87: [[0; 10]; 2],
        errno: 0,
        memory: Copied::default(),
        sp: SP,
        site: 0x5555_0000_1234,
        caller: ("", 0x5555_0000_0000),
        entry_only: false,
        left: false,
        stack: 0,
    }
}

impl Made {
    /// The first integer arguments.
    pub fn gprs(mut self, registers: &[u64]) -> Self {
        self.values.gprs[..registers.len()].copy_from_slice(registers);
        self
    }

    /// The first floating-point arguments.
    pub fn doubles(mut self, numbers: &[f64]) -> Self {
        for (register, number) in self.values.vectors.iter_mut().zip(numbers) {
            *register = number.to_bits();
        }
        self
    }

    /// Bytes at an address.
    pub fn at(mut self, address: u64, bytes: &[u8]) -> Self {
        self.memory.add(address, bytes);
        self
    }

    /// Words of stack arguments.
    pub fn on_stack(mut self, words: &[u64]) -> Self {
        for (number, word) in words.iter().enumerate() {
            self.memory.add(self.sp + 8 + 8 * number as u64, &word.to_le_bytes());
        }
        self
    }

    /// The result in `rax`.
    pub fn gives(mut self, result: i64) -> Self {
        self.values.rax = result as u64;
        self
    }

    /// Another name, of the same types, in another library.
    pub fn named(mut self, name: &str, provider_name: &str) -> Self {
        let old = &self.function;
        self.function = Rc::new(Function {
            number: old.number,
            name: name.to_owned(),
            provider: format!("/lib/{provider_name}"),
            provider_name: provider_name.to_owned(),
            prototype: old.prototype.clone(),
            places: old.places.clone(),
        });
        self
    }
}

impl Stage {
    /// A printer, writing as `style` says.
    pub fn new(printer: fn(To, Style) -> Box<dyn Sink>, style: Style) -> Self {
        let written = Written::default();
        let sink = printer(Box::new(written.clone()), style);
        Self { sink, written, at_ns: 1_000_000, tid: 123, pid: 123 }
    }

    /// Something happens, a microsecond after the last thing.
    pub fn happens(&mut self, what: What<'_>) {
        self.sink.event(&TraceEvent { pid: self.pid, tid: self.tid, at_ns: self.at_ns, what }).unwrap();
        self.at_ns += 1000;
    }

    /// The function is called.
    pub fn enter(&mut self, made: &Made) {
        self.happens(What::Entered(Entered {
            function: &made.function,
            site: made.site,
            caller: made.caller,
            sp: made.sp,
            values: made.values,
            memory: &made.memory,
            stack: made.stack,
            entry_only: made.entry_only,
        }));
    }

    /// It returns.
    pub fn leave(&mut self, made: &Made) {
        self.happens(What::Returned(Returned {
            function: &made.function,
            sp: made.sp,
            values: made.values,
            vectors: made.vectors,
            x87: made.x87,
            errno: made.errno,
            memory: &made.memory,
            left: made.left,
        }));
    }

    /// It is called and returns.
    pub fn call(&mut self, made: &Made) {
        self.enter(made);
        self.leave(made);
    }

    /// A system call.
    pub fn system<'a>(made: &'a Made, arguments: [u64; 6], result: i64) -> SystemCall<'a> {
        SystemCall {
            name: &made.function.name,
            prototype: made.function.prototype.as_ref(),
            arguments,
            result,
            duration_ns: 500,
            site: 0x7fff_0000_0010,
            memory: &made.memory,
            entry_only: made.entry_only,
        }
    }

    /// Nothing more is there for now; gives what was written since.
    pub fn tick(&mut self) -> String {
        self.sink.tick().unwrap();
        self.taken()
    }

    /// All is over; gives what was written since.
    pub fn finish(&mut self) -> String {
        self.end(&End { at_ns: self.at_ns, ..End::default() })
    }

    /// All is over, so.
    pub fn end(&mut self, end: &End) -> String {
        self.sink.finish(end).unwrap();
        self.taken()
    }

    fn taken(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.written.0.borrow_mut())).unwrap()
    }
}
