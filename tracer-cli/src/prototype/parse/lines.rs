//! The lines of a file, one after the other.

use std::path::Path;
use std::rc::Rc;

use super::file::ConfigFile;
use super::{Complaint, Failure, Format, Line};
use crate::prototype::lexer::Word;
use crate::prototype::types::{Kind, Lens, Origin, Parameter, Prototype, Struct, Typed};

/// Reads the text of a file.
pub struct Reader<'a> {
    /// Its path, for complaints and origins.
    pub path: &'a Path,
    /// Whether it is one of ours.
    pub shipped: bool,
    /// Types that have names before this file is read.
    pub around: &'a dyn Fn(&str) -> Option<Typed>,
    /// Reads the file that an import names, or says why not.
    pub import: &'a dyn Fn(&str) -> Result<Rc<ConfigFile>, String>,
    /// Takes what is not as it should be.
    pub complain: &'a dyn Fn(Complaint),
}

/// A file as far as it has been read, and the number of the line.
struct State {
    file: ConfigFile,
    number: u32,
}

impl Reader<'_> {
    /// Reads it; of lines that cannot be read it complains.
    #[must_use]
    pub fn read(&self, text: &str) -> ConfigFile {
        let mut state = State { file: ConfigFile::default(), number: 0 };
        for line in text.lines() {
            state.number += 1;
            if let Err(failure) = self.line(line, &mut state) {
                self.complain(state.number, false, failure);
            }
        }
        state.file
    }

    fn complain(&self, line: u32, warning: bool, failure: Failure) {
        let Failure { message, hint } = failure;
        (self.complain)(Complaint { file: self.path.to_owned(), line, warning, message, hint });
    }

    fn line(&self, text: &str, state: &mut State) -> Result<(), Failure> {
        let begin = text.trim_start();
        if begin.is_empty() || begin.starts_with([';', '#']) {
            return Ok(());
        }
        let file = &state.file;
        let named = |name: &str| file.typed(name).or_else(|| (self.around)(name));
        let mut line = Line::new(text, &named);
        if line.lexer.takes_name("import") {
            let imported = self.imported(&mut line)?;
            state.file.imports.push(imported);
        } else if line.lexer.takes_name("typedef") {
            let (name, typed) = definition(&mut line, file)?;
            if let Some(typed) = typed {
                state.file.types.insert(name, typed);
            }
        } else {
            line.lexer.takes_name("function");
            let prototype = self.prototype(&mut line, state.number)?;
            // Of two prototypes of a function the last one counts.
            state.file.prototypes.insert(prototype.name.clone(), Rc::new(prototype));
        }
        Ok(())
    }

    fn imported(&self, line: &mut Line<'_>) -> Result<Rc<ConfigFile>, Failure> {
        let Word::Text(Some(name)) = line.lexer.peek() else {
            return Err(line.unexpected("a name in quotation marks").hint("import \"libc.so-types\";"));
        };
        (self.import)(name).map_err(|why| {
            Failure::new(format!("cannot import \"{name}\": {why}")).hint(format!(
                "{name}.conf is looked for beside this file and in the directories of prototypes"
            ))
        })
    }

    fn prototype(&self, line: &mut Line<'_>, number: u32) -> Result<Prototype, Failure> {
        let returns = decayed(line.lens()?);
        let Some(name) = line.lexer.symbol() else { return Err(line.unexpected("the function's name")) };
        line.expect('(')?;
        line.format.set(Format::Allowed);
        let mut parameters = Vec::new();
        let mut on_return = false;
        while !line.lexer.takes(')') {
            on_return |= line.lexer.takes('+');
            let (typed, passed) = line.parameter()?;
            parameters.push(Parameter { on_return, passed, ..Parameter::of(decayed(typed)) });
            if !line.goes_on(')')? {
                break;
            }
        }
        if let [only] = &parameters[..]
            && only.typed.kind == Kind::Void
        {
            parameters.clear();
        }
        for parameter in parameters.iter_mut().filter(|p| p.typed.kind == Kind::Void) {
            parameter.typed = Typed { kind: Kind::Int { bytes: 4, signed: true }, lens: Lens::Hide };
            let failure = Failure::new("a parameter cannot be void; it is taken for hide(int)");
            self.complain(number, true, failure.hint("write hide(TYPE) for what is not to be shown"));
        }
        if line.format.get() == Format::Used {
            parameters.push(Parameter { on_return, ..Parameter::of(Typed::plain(Kind::Variadic)) });
        }
        let origin = if self.shipped { Origin::Shipped } else { Origin::File(self.path.to_owned(), number) };
        Ok(Prototype { name: name.to_owned(), returns, parameters, origin })
    }
}

/// A typedef: its name and type. No type: the name has got the members that it was waiting for, or keeps its meaning.
fn definition(line: &mut Line<'_>, file: &ConfigFile) -> Result<(String, Option<Typed>), Failure> {
    let name = line.name("the name of a type")?.to_owned();
    line.expect('=')?;
    let known = file.types.get(&name);
    let redefined = || {
        Failure::new(format!("this file has a typedef '{name}' already"))
            .hint("only a struct may be named first (typedef NAME = struct;) and defined later")
    };
    let mut behind = line.lexer.clone();
    if behind.takes_name("struct") && matches!(behind.peek(), Word::Sign(';') | Word::End) {
        return match known {
            Some(_) => Err(redefined()),
            None => Ok((name, Some(Typed::plain(Kind::Struct(Rc::new(Struct::default())))))),
        };
    }
    let typed = line.lens()?;
    match known.map(|known| &known.kind) {
        None if is_long_double(&name, &typed) => Ok((name, None)),
        None => Ok((name, Some(typed))),
        Some(Kind::Struct(waiting)) if waiting.members.get().is_none() => {
            fill(waiting, &name, &typed)?;
            Ok((name, None))
        }
        Some(_) => Err(redefined()),
    }
}

/// Gives a struct that was only named its members.
fn fill(waiting: &Rc<Struct>, name: &str, typed: &Typed) -> Result<(), Failure> {
    let Kind::Struct(defined) = &typed.kind else {
        return Err(Failure::new(format!("'{name}' was announced as a struct, but this is none")));
    };
    let members = defined.members.get().cloned().unwrap_or_default();
    if members.iter().any(|member| holds(member, waiting)) {
        return Err(Failure::new(format!("the struct '{name}' would hold itself"))
            .hint(format!("it can hold a pointer to itself: {name}*")));
    }
    // It has none yet, so this cannot fail.
    let _ = waiting.members.set(members);
    Ok(())
}

/// Whether a value of this type has the struct in it, not just a pointer to it.
fn holds(typed: &Typed, wanted: &Rc<Struct>) -> bool {
    match &typed.kind {
        Kind::Array { of, .. } => holds(of, wanted),
        Kind::Struct(of) => {
            Rc::ptr_eq(of, wanted)
                || of.members.get().into_iter().flatten().any(|member| holds(member, wanted))
        }
        _ => false,
    }
}

/// ltrace has no long double; files for it say `typedef ldouble = double`, which is wrong for x86-64. Here, the
/// names mean what they say.
fn is_long_double(name: &str, typed: &Typed) -> bool {
    match name {
        "ldouble" => typed.kind == Kind::Float(8),
        "ldouble_complex" => match &typed.kind {
            Kind::Struct(of) => of.members.get().is_some_and(|members| {
                members.len() == 2 && members.iter().all(|m| matches!(m.kind, Kind::Float(8 | 16)))
            }),
            _ => false,
        },
        _ => false,
    }
}

/// As C has it: an array that is passed is a pointer to its first element.
fn decayed(typed: Typed) -> Typed {
    if !matches!(typed.kind, Kind::Array { .. }) {
        return typed;
    }
    let lens = typed.lens.clone();
    Typed { kind: Kind::Pointer(Rc::new(typed)), lens }
}
