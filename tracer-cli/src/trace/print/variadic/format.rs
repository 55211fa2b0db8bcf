//! What a printf format takes.

/// What a conversion takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// An integer of so many bytes, in this form.
    Int { bytes: u8, signed: bool, form: Form },
    /// A floating-point number of so many bytes.
    Float(u8),
    /// A pointer that is shown as such.
    Address,
    /// A string of characters of so many bytes each.
    String { unit: u8, most: Most },
}

/// How an integer is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// In decimal.
    Decimal,
    /// In octal.
    Octal,
    /// In hexadecimal.
    Hex,
    /// As a character.
    Character,
}

/// The most characters of a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Most {
    /// Up to its end.
    All,
    /// So many.
    Number(u64),
    /// As many as the argument of this number says, from 0.
    Argument(usize),
}

/// More than the C standard asks for: what is behind is not shown.
const ARGUMENTS: usize = 127;

/// What a format takes, in the order in which the arguments come. None for one that no conversion uses.
pub fn parse(format: impl Iterator<Item = u64>) -> Vec<Option<Takes>> {
    let mut characters = format.take_while(|c| *c != 0).map(|c| u8::try_from(c).unwrap_or(b'?')).peekable();
    let mut taken: Vec<Option<Takes>> = Vec::new();
    let mut next = 0;
    let mut take = |at: Option<usize>, takes: Takes| {
        let number = at.unwrap_or_else(|| {
            next += 1;
            next - 1
        });
        if number < ARGUMENTS {
            if taken.len() <= number {
                taken.resize(number + 1, None);
            }
            taken[number] = Some(takes);
        }
        number
    };
    const STAR: Takes = Takes::Int { bytes: 4, signed: true, form: Form::Decimal };
    while characters.find(|c| *c == b'%').is_some() {
        let (mut position, mut number, mut half, mut long) = (None, None::<u64>, 0_u32, 0_u32);
        let (mut width, mut precision, mut star) = (Most::All, None, false);
        let mut extended = false;
        while let Some(character) = characters.next() {
            let bytes = match (half, long) {
                (0, 0) => 4,
                (0, _) => 8,
                (1, _) => 2,
                _ => 1,
            };
            let int = |signed, form| Takes::Int { bytes, signed, form };
            let takes = match character {
                b'0'..=b'9' => {
                    let digit = u64::from(character - b'0');
                    number = Some(number.unwrap_or(0).saturating_mul(10).saturating_add(digit));
                    if characters.peek().is_none_or(|c| !c.is_ascii_digit() && *c != b'$') {
                        let place = if star {
                            number.take().map(|_| Most::All)
                        } else {
                            number.take().map(Most::Number)
                        };
                        match (place, &mut precision) {
                            (Some(place), Some(precision)) => *precision = place,
                            (Some(place), None) => width = place,
                            (None, _) => {}
                        }
                    }
                    continue;
                }
                b'$' => {
                    let at = number.take().and_then(|n| usize::try_from(n).ok()?.checked_sub(1));
                    if star {
                        star = false;
                        let place = Most::Argument(take(at, STAR));
                        *precision.as_mut().unwrap_or(&mut width) = place;
                    } else {
                        position = at;
                    }
                    continue;
                }
                b'*' => {
                    // The number of an argument may follow: `*2$`.
                    if characters.peek().is_some_and(u8::is_ascii_digit) {
                        star = true;
                    } else {
                        let place = Most::Argument(take(None, STAR));
                        *precision.as_mut().unwrap_or(&mut width) = place;
                    }
                    continue;
                }
                b'.' => {
                    precision = Some(Most::Number(0));
                    continue;
                }
                b'h' => {
                    half += 1;
                    continue;
                }
                b'l' | b'q' | b'j' | b't' | b'z' | b'Z' => {
                    long += 1;
                    continue;
                }
                b'L' => {
                    (extended, long) = (true, 1);
                    continue;
                }
                b'd' | b'i' => int(true, Form::Decimal),
                b'u' => int(false, Form::Decimal),
                b'o' => int(false, Form::Octal),
                b'x' | b'X' => int(false, Form::Hex),
                b'e' | b'E' | b'f' | b'F' | b'g' | b'G' | b'a' | b'A' => {
                    Takes::Float(if extended { 16 } else { 8 })
                }
                b'C' => Takes::Int { bytes: 4, signed: true, form: Form::Character },
                b'c' if long > 0 => Takes::Int { bytes: 4, signed: true, form: Form::Character },
                b'c' => Takes::Int { bytes: 1, signed: false, form: Form::Character },
                b'S' => Takes::String { unit: 4, most: precision.unwrap_or(width) },
                b's' => {
                    Takes::String { unit: if long > 0 { 4 } else { 1 }, most: precision.unwrap_or(width) }
                }
                b'p' | b'n' => Takes::Address,
                b'm' | b'%' => break,
                // Flags.
                _ => continue,
            };
            take(position, takes);
            break;
        }
    }
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(format: &str) -> Vec<Option<Takes>> {
        parse(format.bytes().map(u64::from))
    }

    fn int(bytes: u8) -> Option<Takes> {
        Some(Takes::Int { bytes, signed: true, form: Form::Decimal })
    }

    fn string(most: Most) -> Option<Takes> {
        Some(Takes::String { unit: 1, most })
    }

    #[test]
    fn a_format_says_what_it_takes() {
        assert_eq!(parsed("nothing 100%% %m"), []);
        assert_eq!(
            parsed("%d %5ld %-hd %hhd %zd %jd %lld"),
            [int(4), int(8), int(2), int(1), int(8), int(8), int(8)]
        );
        assert_eq!(
            parsed("%g %Lf %p"),
            [Some(Takes::Float(8)), Some(Takes::Float(16)), Some(Takes::Address)]
        );
        assert_eq!(
            parsed("%s%.3s%10s"),
            [string(Most::All), string(Most::Number(3)), string(Most::Number(10))]
        );
        assert_eq!(
            parsed("%*.*s %5.2s"),
            [int(4), int(4), string(Most::Argument(1)), string(Most::Number(2))]
        );
        assert_eq!(
            parsed("%ls%S%lc%c"),
            [
                Some(Takes::String { unit: 4, most: Most::All }),
                Some(Takes::String { unit: 4, most: Most::All }),
                Some(Takes::Int { bytes: 4, signed: true, form: Form::Character }),
                Some(Takes::Int { bytes: 1, signed: false, form: Form::Character }),
            ]
        );
    }

    #[test]
    fn arguments_may_be_numbered() {
        assert_eq!(parsed("%2$s %1$d"), [int(4), string(Most::All)]);
        assert_eq!(parsed("%3$.*1$s"), [int(4), None, string(Most::Argument(0))]);
    }

    #[test]
    fn a_format_that_ends_too_soon_takes_what_it_says() {
        assert_eq!(parsed("%d %"), [int(4)]);
        assert_eq!(parsed("%5"), []);
        assert_eq!(parsed("%999999999999999999999$d"), []);
    }
}
