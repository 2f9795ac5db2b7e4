// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Setting up an IPv4 network interface, and listening on one interface only.

use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{AsRawFd, OwnedFd};

use nix::sys::socket::{
    AddressFamily, Backlog, SockFlag, SockType, SockaddrIn, bind, listen, setsockopt, socket,
    sockopt,
};

use crate::{Errno, Result, zeroed};

mod request {
    //! The requests of the kernel's interface.
    nix::ioctl_write_ptr_bad!(set_address, libc::SIOCSIFADDR, libc::ifreq);
    nix::ioctl_write_ptr_bad!(set_netmask, libc::SIOCSIFNETMASK, libc::ifreq);
    nix::ioctl_read_bad!(get_flags, libc::SIOCGIFFLAGS, libc::ifreq);
    nix::ioctl_write_ptr_bad!(set_flags, libc::SIOCSIFFLAGS, libc::ifreq);
}

/// Gives an interface an address and a netmask, and switches it on.
///
/// # Errors
///
/// `ENODEV` without such an interface; `EINVAL` for a name longer than 15 bytes or a netmask with gaps;
/// `EPERM` without `CAP_NET_ADMIN`.
pub fn configure(name: &str, address: Ipv4Addr, netmask: Ipv4Addr) -> Result<()> {
    let control = control_socket()?;
    let mut request = named(name)?;
    request.ifr_ifru.ifru_addr = socket_address(address);
    // SAFETY: the request number belongs to this structure, which lives over the call.
    unsafe { request::set_address(control.as_raw_fd(), &raw const request) }?;
    request.ifr_ifru.ifru_netmask = socket_address(netmask);
    // SAFETY: as above.
    unsafe { request::set_netmask(control.as_raw_fd(), &raw const request) }?;
    up(name)
}

/// Switches an interface on.
///
/// # Errors
///
/// `ENODEV` without such an interface; `EINVAL` for a name longer than 15 bytes; `EPERM` without
/// `CAP_NET_ADMIN`.
pub fn up(name: &str) -> Result<()> {
    let control = control_socket()?;
    let mut request = named(name)?;
    // SAFETY: the request number belongs to this structure, which lives over the call.
    unsafe { request::get_flags(control.as_raw_fd(), &raw mut request) }?;
    // SAFETY: the kernel has filled in this member of the union.
    let flags = unsafe { request.ifr_ifru.ifru_flags };
    let on = libc::c_short::try_from(libc::IFF_UP).map_err(|_| Errno::EOVERFLOW)?;
    request.ifr_ifru.ifru_flags = flags | on;
    // SAFETY: as above.
    unsafe { request::set_flags(control.as_raw_fd(), &raw const request) }.map(drop)
}

/// Makes a TCP socket that listens on one interface only, whatever routes exist, and is closed on exec.
/// `waiting` bounds the connections that wait to be accepted.
///
/// # Errors
///
/// `ENODEV` without such an interface, `EADDRNOTAVAIL` when it lacks the address, `EADDRINUSE` when the port
/// is taken, `EPERM` or `EACCES` without the right to bind there.
pub fn listen_on(interface: &str, address: SocketAddrV4, waiting: u16) -> Result<OwnedFd> {
    let listener = socket(
        AddressFamily::Inet,
        SockType::Stream,
        SockFlag::SOCK_CLOEXEC,
        None,
    )?;
    setsockopt(&listener, sockopt::BindToDevice, &OsString::from(interface))?;
    // The service comes back at once after its restart, although old connections may still linger.
    setsockopt(&listener, sockopt::ReuseAddr, &true)?;
    bind(listener.as_raw_fd(), &SockaddrIn::from(address))?;
    listen(&listener, Backlog::new(i32::from(waiting))?)?;
    Ok(listener)
}

/// `AF_INET` in the width of the field.
#[allow(clippy::cast_possible_truncation, reason = "the value is 2")]
const FAMILY: libc::sa_family_t = libc::AF_INET as libc::sa_family_t;

/// The socket that interface requests go through; any IPv4 socket serves.
fn control_socket() -> Result<OwnedFd> {
    socket(
        AddressFamily::Inet,
        SockType::Datagram,
        SockFlag::SOCK_CLOEXEC,
        None,
    )
}

/// An interface request with the name filled in.
fn named(name: &str) -> Result<libc::ifreq> {
    // SAFETY: the structure consists of numbers, addresses and a null pointer.
    let mut request: libc::ifreq = unsafe { zeroed() };
    // The last byte stays zero: it ends the name.
    if name.is_empty() || name.len() >= request.ifr_name.len() {
        return Err(Errno::EINVAL);
    }
    for (to, from) in request.ifr_name.iter_mut().zip(name.bytes()) {
        *to = libc::c_char::from_ne_bytes([from]);
    }
    Ok(request)
}

/// An IPv4 address in the general form of a socket address.
fn socket_address(address: Ipv4Addr) -> libc::sockaddr {
    // SAFETY: the structure consists of numbers.
    let mut specific: libc::sockaddr_in = unsafe { zeroed() };
    specific.sin_family = FAMILY;
    specific.sin_addr.s_addr = u32::from(address).to_be();
    // SAFETY: both structures are plain data of 16 bytes, and the kernel reads the one as the other.
    unsafe { core::mem::transmute::<libc::sockaddr_in, libc::sockaddr>(specific) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_do_not_fit_are_refused() {
        assert_eq!(up(""), Err(Errno::EINVAL));
        assert_eq!(up("sixteen-letters-"), Err(Errno::EINVAL));
        assert!(named("fifteen-letters").is_ok());
    }

    #[test]
    fn a_missing_interface_is_reported() {
        let nowhere = Ipv4Addr::new(192, 0, 2, 1);
        let error = configure("nacre-none0", nowhere, Ipv4Addr::new(255, 255, 255, 0));
        assert!(
            matches!(error, Err(Errno::ENODEV | Errno::EPERM)),
            "{error:?}"
        );
    }

    #[test]
    fn listening_on_the_loopback_interface_works_and_on_a_missing_one_does_not() {
        let address = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0);
        let listener = listen_on("lo", address, 1).unwrap();
        let bound = nix::sys::socket::getsockopt(&listener, sockopt::BindToDevice).unwrap();
        assert_eq!(bound.to_str().unwrap().trim_end_matches('\0'), "lo");
        assert_eq!(
            listen_on("nacre-none0", address, 1).unwrap_err(),
            Errno::ENODEV
        );
    }
}
