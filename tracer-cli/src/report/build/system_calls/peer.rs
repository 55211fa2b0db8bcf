//! Socket addresses as people write them.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddrV4, SocketAddrV6};

use nix::libc::{AF_INET, AF_INET6, AF_NETLINK, AF_UNIX, AF_UNSPEC};

/// A `struct sockaddr` as the kernel was given it: `127.0.0.1:80`, `[::1]:80`, `unix:/run/socket`, `unix:@name`.
pub(super) fn peer(address: &[u8]) -> String {
    let Some((family, rest)) = address.split_first_chunk() else {
        return "an address without a family".to_owned();
    };
    match i32::from(u16::from_ne_bytes(*family)) {
        AF_INET => internet(rest),
        AF_INET6 => internet6(rest),
        AF_UNIX => Some(unix(rest)),
        AF_NETLINK => Some("netlink".to_owned()),
        AF_UNSPEC => Some("no address".to_owned()),
        other => Some(format!("an address of family {other}")),
    }
    .unwrap_or_else(|| "an address that is too short".to_owned())
}

/// ip(7): port and address in network order.
fn internet(rest: &[u8]) -> Option<String> {
    let (port, rest) = rest.split_first_chunk()?;
    let address = Ipv4Addr::from(*rest.first_chunk::<4>()?);
    Some(SocketAddrV4::new(address, u16::from_be_bytes(*port)).to_string())
}

/// ipv6(7): port, flow, address, scope.
fn internet6(rest: &[u8]) -> Option<String> {
    let (port, rest) = rest.split_first_chunk()?;
    let (_flow, rest) = rest.split_first_chunk::<4>()?;
    let (address, rest) = rest.split_first_chunk::<16>()?;
    let scope = rest.first_chunk().map_or(0, |scope| u32::from_ne_bytes(*scope));
    let address = Ipv6Addr::from(*address);
    Some(SocketAddrV6::new(address, u16::from_be_bytes(*port), 0, scope).to_string())
}

/// unix(7): a path, which may end early, or a name that begins with a null byte.
fn unix(rest: &[u8]) -> String {
    match rest {
        [] => "unix: unnamed".to_owned(),
        [0, name @ ..] => format!("unix:@{}", name.escape_ascii()),
        path => {
            let path = path.split(|byte| *byte == 0).next().unwrap_or_default();
            format!("unix:{}", String::from_utf8_lossy(path))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(family: i32, rest: &[u8]) -> String {
        peer(&[&(family as u16).to_ne_bytes(), rest].concat())
    }

    #[test]
    fn addresses_are_written_as_people_do() {
        assert_eq!(of(AF_INET, &[0, 80, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]), "127.0.0.1:80");
        let mut six = vec![0x1f, 0x90, 0, 0, 0, 0];
        six.extend(Ipv6Addr::LOCALHOST.octets());
        assert_eq!(of(AF_INET6, &six), "[::1]:8080");
        six.extend(3_u32.to_ne_bytes());
        assert_eq!(of(AF_INET6, &six), "[::1%3]:8080");
        assert_eq!(of(AF_UNIX, b"/run/x\0\0\0"), "unix:/run/x");
        assert_eq!(of(AF_UNIX, b"\0bus\0\x01"), "unix:@bus\\x00\\x01");
        assert_eq!(of(40, b"\0\0"), "an address of family 40");
    }

    #[test]
    fn what_is_cut_off_is_not_made_up() {
        for rest in [&b""[..], b"\0", b"\0\x50\x7f\0\0"] {
            assert_eq!(of(AF_INET, rest), "an address that is too short");
        }
        assert_eq!(peer(b"\x02"), "an address without a family");
    }
}
