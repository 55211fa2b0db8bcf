//! Demangled names, made short: nobody finds a leak in a list of template arguments.

/// What becomes of the arguments of templates and generics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Arguments {
    /// They stay.
    Keep,
    /// Long ones become `<...>`.
    Shorten,
    /// They go, brackets included.
    Drop,
}

/// Arguments of so many characters are shown.
const SHORT: usize = 24;
/// A name of so many characters is shown as it is, if it has no parameters.
const SHORT_NAME: usize = 48;

/// Name spaces that stand for the version of a C++ library.
const VERSIONS: [&str; 3] = ["__cxx11::", "__1::", "__ndk1::"];

/// A longer name is shown without its middle.
const LONGEST: usize = 100;
/// So many characters of it stay at the end: what is innermost says most.
const END: usize = 60;

/// For people: without return type and parameters, long template arguments as `<...>`.
pub fn short(name: &str) -> String {
    // glibc's names for its own use of what it exports.
    let name = name.strip_prefix("__GI_").unwrap_or(name);
    let plain = name.len() <= SHORT_NAME && !name.contains('(');
    let mut short = if plain { name.to_owned() } else { walk(name, Arguments::Shorten) };
    for version in VERSIONS.into_iter().chain(["[abi:cxx11]"]).filter(|version| name.contains(version)) {
        short = short.replace(version, "");
    }
    without_middle(short)
}

fn without_middle(name: String) -> String {
    let count = name.chars().count();
    if count <= LONGEST {
        return name;
    }
    const CUT: &str = "...";
    let start = name.chars().take(LONGEST - END - CUT.len());
    start.chain(CUT.chars()).chain(name.chars().skip(count - END)).collect()
}

/// Without return type and parameters, so that overloaded functions have one name.
pub fn without_parameters(name: &str) -> String {
    if name.contains('(') { walk(name, Arguments::Keep) } else { name.to_owned() }
}

/// For comparison: the path alone, without the name spaces that stand for a library's version.
pub fn bare(name: &str) -> String {
    if !name.contains(['(', '<', ' ', ':']) {
        return name.to_owned();
    }
    let mut path = walk(name, Arguments::Drop);
    for version in VERSIONS.into_iter().filter(|version| name.contains(version)) {
        path = path.replace(version, "");
    }
    path
}

fn walk(name: &str, arguments: Arguments) -> String {
    let mut out = String::with_capacity(name.len());
    let mut rest = name;
    // Rust's `<Type as Trait>::function`.
    if name.starts_with('<')
        && let Some((inner, behind)) = bracketed(name, '<', '>')
    {
        out += &qualified(inner, arguments);
        rest = behind;
    }
    while let Some(c) = rest.chars().next() {
        if let Some(symbol) = operator(rest).filter(|_| out.is_empty() || out.ends_with("::")) {
            out += symbol;
            // `operator<< <char>`
            rest = rest[symbol.len()..].trim_start();
            continue;
        }
        match c {
            '<' => {
                let Some((inner, behind)) = bracketed(rest, '<', '>') else { break };
                match arguments {
                    Arguments::Keep => out += &rest[..rest.len() - behind.len()],
                    Arguments::Shorten if inner.chars().count() <= SHORT => out += &format!("<{inner}>"),
                    Arguments::Shorten => out += "<...>",
                    // Rust writes `Vec::<T>::push` as well.
                    Arguments::Drop => out.truncate(out.trim_end_matches("::").len()),
                }
                rest = behind;
            }
            '(' if rest.starts_with("(anonymous namespace)") => {
                out += "(anonymous namespace)";
                rest = &rest["(anonymous namespace)".len()..];
            }
            '(' => {
                let Some((_, behind)) = bracketed(rest, '(', ')') else { break };
                // What follows the parameters matters only if something is declared inside.
                let Some(inside) = behind.find("::") else { break };
                if behind[..inside].contains(['(', '<', '[']) {
                    break;
                }
                rest = &behind[inside..];
            }
            '{' => {
                let Some((inner, behind)) = bracketed(rest, '{', '}') else { break };
                out += &format!("{{{}}}", parameters_dropped(inner));
                rest = behind;
            }
            ' ' if rest.starts_with(" [") => break,
            ' ' => {
                // What came before was the type of what is returned.
                out.clear();
                rest = &rest[1..];
            }
            _ => {
                out.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    if out.is_empty() { name.to_owned() } else { out }
}

/// The inner part of Rust's `<Type as Trait>`.
fn qualified(inner: &str, arguments: Arguments) -> String {
    let (of, as_trait) = match inner.split_once(" as ") {
        Some((of, as_trait)) => (of, Some(as_trait)),
        None => (inner, None),
    };
    match (arguments, as_trait) {
        (Arguments::Keep, _) => format!("<{inner}>"),
        (Arguments::Drop, _) => {
            let of = walk(of.trim_start_matches(['&', '*']), arguments);
            // A parameter of a generic function is nobody's type.
            match as_trait.filter(|_| !of.contains("::")) {
                Some(as_trait) => walk(as_trait, arguments),
                None => of,
            }
        }
        (Arguments::Shorten, Some(as_trait)) => {
            format!("<{} as {}>", walk(of, arguments), walk(as_trait, arguments))
        }
        (Arguments::Shorten, None) => format!("<{}>", walk(of, arguments)),
    }
}

/// The operators of C++ that are signs, those first that begin with another one.
const SIGNS: [&str; 40] = [
    "<=>", "->*", "<<=", ">>=", "()", "[]", "->", "++", "--", "<<", ">>", "<=", ">=", "==", "!=", "&&", "||",
    "+=", "-=", "*=", "/=", "%=", "^=", "&=", "|=", "+", "-", "*", "/", "%", "^", "&", "|", "~", "!", "=",
    "<", ">", ",", "\"\"",
];

/// The name of an operator function at the beginning of `rest`.
fn operator(rest: &str) -> Option<&str> {
    let symbol = rest.strip_prefix("operator")?;
    let length = match SIGNS.iter().find(|sign| symbol.starts_with(**sign)) {
        Some(sign) => sign.len(),
        // `operator new[]`, `operator std::string`
        None if symbol.starts_with(' ') => symbol.find('(').unwrap_or(symbol.len()),
        None => return None,
    };
    Some(&rest[.."operator".len() + length])
}

/// What is between the bracket at the beginning of `text` and the one that closes it, and the rest.
fn bracketed(text: &str, open: char, close: char) -> Option<(&str, &str)> {
    let mut depth = 0_usize;
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        if c == open {
            depth += 1;
        } else if c == close && !(close == '>' && matches!(before, '-' | '=')) {
            depth -= 1;
            if depth == 0 {
                return Some((&text[open.len_utf8()..at], &text[at + close.len_utf8()..]));
            }
        }
        before = c;
    }
    None
}

/// `lambda(int, char)#1` as `lambda#1`.
fn parameters_dropped(inner: &str) -> String {
    match inner.find('(').and_then(|at| Some((at, bracketed(&inner[at..], '(', ')')?.1))) {
        Some((at, behind)) => format!("{}{behind}", &inner[..at]),
        None => inner.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c_plus_plus_names_lose_what_overloads_need() {
        for (full, expected) in [
            ("main", "main"),
            ("__GI__IO_puts", "_IO_puts"),
            ("make_node(int, char const*)", "make_node"),
            ("void grow<int>(std::vector<int>&)", "grow<int>"),
            ("(anonymous namespace)::Parser::next()", "(anonymous namespace)::Parser::next"),
            ("operator new(unsigned long)", "operator new"),
            ("operator new[](unsigned long, std::align_val_t)", "operator new[]"),
            ("Matrix::operator()(int, int) const", "Matrix::operator()"),
            ("std::ostream& std::operator<< <char>(std::ostream&)", "std::operator<<<char>"),
            ("std::string std::operator+<char>(char const*)", "std::operator+<char>"),
            ("names[abi:cxx11](int)", "names"),
            ("void std::__cxx11::list<int>::push_back(int&&)", "std::list<int>::push_back"),
            ("Text::operator std::string() const", "Text::operator std::string"),
            ("main::{lambda(int, char)#1}::operator()(int, char) const", "main::{lambda#1}::operator()"),
            ("run(int)::{lambda()#2}::operator()() const", "run::{lambda#2}::operator()"),
            ("non-virtual thunk to Shape::draw()", "Shape::draw"),
            ("parse(char*) [clone .cold]", "parse"),
            ("Pool::Pool(unsigned long)", "Pool::Pool"),
            ("unclosed(int", "unclosed"),
        ] {
            assert_eq!(short(full), expected, "{full}");
        }
        let map = "std::map<std::__cxx11::basic_string<char>, int>::operator[](std::string const&)";
        assert_eq!(short(map), "std::map<...>::operator[]");
        assert_eq!(without_parameters(map), "std::map<std::__cxx11::basic_string<char>, int>::operator[]");
    }

    #[test]
    fn monsters_lose_their_middle() {
        let monster = format!("first::{}::innermost(int)", ["names::of::spaces"; 10].join("::"));
        let told = short(&monster);
        assert_eq!(told.chars().count(), LONGEST);
        assert!(told.starts_with("first::names") && told.ends_with("spaces::innermost"), "{told}");
        assert!(told.contains("..."), "{told}");
    }

    #[test]
    fn rust_names_lose_long_arguments() {
        for (full, expected) in [
            ("leak::main", "leak::main"),
            ("leak::main::{{closure}}", "leak::main::{{closure}}"),
            ("<leak::Tree as core::ops::drop::Drop>::drop", "<leak::Tree as core::ops::drop::Drop>::drop"),
            (
                "<alloc::vec::Vec<core::option::Option<alloc::string::String>> as core::clone::Clone>::clone",
                "<alloc::vec::Vec<...> as core::clone::Clone>::clone",
            ),
        ] {
            assert_eq!(short(full), expected, "{full}");
        }
    }

    #[test]
    fn bare_names_are_paths() {
        for (full, path) in [
            ("__rust_alloc", "__rust_alloc"),
            ("void std::__cxx11::list<int>::push_back(int&&)", "std::list::push_back"),
            ("std::__1::allocator<int>::allocate(unsigned long)", "std::allocator::allocate"),
            (
                "std::_Vector_base<int, std::allocator<int> >::_M_allocate(unsigned long)",
                "std::_Vector_base::_M_allocate",
            ),
            ("<alloc::alloc::Global as core::alloc::Allocator>::allocate", "alloc::alloc::Global::allocate"),
            ("alloc::raw_vec::RawVec<T,A>::grow_one", "alloc::raw_vec::RawVec::grow_one"),
            ("alloc::vec::Vec::<T>::push", "alloc::vec::Vec::push"),
            ("<&T as core::fmt::Debug>::fmt", "core::fmt::Debug::fmt"),
            (
                "<T as alloc::slice::<impl [T]>::to_vec_in::ConvertVec>::to_vec",
                "alloc::slice::to_vec_in::ConvertVec::to_vec",
            ),
            ("operator new(unsigned long)", "operator new"),
            ("std::function<void (int)>::operator()(int) const", "std::function::operator()"),
            ("auto f(int)->int", "f"),
        ] {
            assert_eq!(bare(full), path, "{full}");
        }
    }
}
