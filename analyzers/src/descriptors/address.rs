//! Socket addresses as text.

use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

const UNIX: u16 = 1;
const IPV4: u16 = 2;
const IPV6: u16 = 10;
const NETLINK: u16 = 16;

/// A `struct sockaddr` of Linux as text: `127.0.0.1:80`, `[::1]:80`, `/run/socket`, `@abstract`,
/// `netlink`. None if it is too short, of no address, or of a family without one of these forms.
#[must_use]
pub fn text(address: &[u8]) -> Option<String> {
    let family = u16::from_le_bytes(address.get(..2)?.try_into().ok()?);
    let port = || Some(u16::from_be_bytes(address.get(2..4)?.try_into().ok()?));
    match family {
        IPV4 => {
            let octets: [u8; 4] = address.get(4..8)?.try_into().ok()?;
            Some(format!("{}:{}", Ipv4Addr::from(octets), port()?))
        }
        IPV6 => {
            let octets: [u8; 16] = address.get(8..24)?.try_into().ok()?;
            Some(format!("[{}]:{}", Ipv6Addr::from(octets), port()?))
        }
        UNIX => unix(&address[2..]),
        NETLINK => Some("netlink".to_owned()),
        _ => None,
    }
}

fn unix(path: &[u8]) -> Option<String> {
    let (mark, name) = match path.split_first()? {
        (0, name) => ("@", name),
        _ => ("", path.split(|byte| *byte == 0).next()?),
    };
    if name.is_empty() {
        return None;
    }
    let mut text = mark.to_owned();
    for byte in name {
        match byte {
            0x20..0x7f => text.push(char::from(*byte)),
            // Writing to a String cannot fail.
            _ => write!(text, "\\x{byte:02x}").ok()?,
        }
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_shown_as_people_write_them() {
        assert_eq!(text(&[2, 0, 0, 80, 127, 0, 0, 1, 0, 0, 0, 0]).as_deref(), Some("127.0.0.1:80"));
        let mut ipv6 = [0; 28];
        (ipv6[0], ipv6[2], ipv6[3], ipv6[23]) = (10, 0x1f, 0x90, 1);
        assert_eq!(text(&ipv6).as_deref(), Some("[::1]:8080"));
        assert_eq!(text(b"\x01\0/run/a b\0junk").as_deref(), Some("/run/a b"));
        assert_eq!(text(b"\x01\0\0name\xff").as_deref(), Some("@name\\xff"));
    }

    #[test]
    fn what_is_cut_or_foreign_has_no_text() {
        for address in [&b""[..], b"\x02", b"\x02\0\0\x50\x7f", b"\x01\0", b"\x01\0\0", b"\x11\0\0\0"] {
            assert_eq!(text(address), None, "{address:?}");
        }
    }
}
