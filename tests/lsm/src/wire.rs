// SPDX-License-Identifier: Apache-2.0 OR MIT

//! What the module reads and writes, as its documentation has it: written down here a second time, because a test that
//! used the module's own code could not see an error in it.

use std::os::fd::AsRawFd;

use crate::sys::{Arg, Attempt, call};

/// The number of the module among all security modules.
pub const LSM_ID: u64 = 114;

/// The identity that a process has.
pub const ATTR_CURRENT: i64 = 100;
/// The identity that it has after its next exec.
pub const ATTR_EXEC: i64 = 101;
/// The identity before the last change, which the module does not keep.
pub const ATTR_PREVIOUS: i64 = 104;

/// Flag of an identity: its processes may make process groups.
pub const JOB_CONTROL: u32 = 1;

/// The length of an identity.
pub const IDENTITY: usize = 96;

/// A component id, in the order of its text.
pub type Component = [u8; 16];

/// An identity.
#[derive(Clone, Copy)]
pub struct Identity {
    /// Whose.
    pub component: Component,
    /// [`JOB_CONTROL`] or nothing.
    pub flags: u32,
    /// The tenant.
    pub tenant: &'static str,
    /// The rights mask.
    pub rights: u32,
}

impl Identity {
    /// The bytes for the kernel.
    pub fn encode(&self) -> [u8; IDENTITY] {
        let mut bytes = [0; IDENTITY];
        put(&mut bytes, 0, &1_u32.to_le_bytes());
        put(&mut bytes, 4, &self.flags.to_le_bytes());
        put(&mut bytes, 8, &self.component);
        put(&mut bytes, 24, self.tenant.as_bytes());
        put(&mut bytes, 88, &self.rights.to_le_bytes());
        bytes
    }

    /// The three lines that `attr/current` shows.
    pub fn text(&self) -> String {
        format!(
            "CID: {}\nTID: {}\nCAPS: {:08X}\n",
            guid(&self.component).to_uppercase(),
            self.tenant,
            self.rights
        )
    }

    /// The 88 bytes that `attr/exec` showed in the original.
    pub fn original(&self) -> [u8; 88] {
        let mut bytes = [0; 88];
        let [a, b, c, d, e, f, g, h, rest @ ..] = self.component;
        put(&mut bytes, 0, &[d, c, b, a, f, e, h, g]);
        put(&mut bytes, 8, &rest);
        put(&mut bytes, 16, self.tenant.as_bytes());
        put(
            &mut bytes,
            80,
            &[if self.flags & JOB_CONTROL != 0 { 2 } else { 0 }],
        );
        put(&mut bytes, 84, &self.rights.to_le_bytes());
        bytes
    }
}

/// Puts `value` at a place of `bytes`, as far as there is room.
pub fn put(bytes: &mut [u8], offset: usize, value: &[u8]) {
    for (place, byte) in bytes.iter_mut().skip(offset).zip(value) {
        *place = *byte;
    }
}

/// The text of a component id, lower case.
pub fn guid(component: &Component) -> String {
    let digits: String = component.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if matches!(index, 8 | 12 | 16 | 20) {
            text.push('-');
        }
        text.push(digit);
    }
    text
}

/// An entry of an allow-list.
#[derive(Clone, Copy)]
pub struct Address {
    /// 4 or 6.
    pub family: u8,
    /// How many bits count.
    pub prefix: u8,
    /// 1 TCP, 2 UDP, 3 both.
    pub protocols: u8,
    /// 0 is any.
    pub port: u16,
    /// An IPv4 address lies in the first four bytes.
    pub address: [u8; 16],
}

impl Address {
    /// A range of IPv4 addresses.
    pub const fn v4(address: [u8; 4], prefix: u8, protocols: u8, port: u16) -> Self {
        let [a, b, c, d] = address;
        Self {
            family: 4,
            prefix,
            protocols,
            port,
            address: [a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        }
    }

    /// The bytes for the kernel.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![self.family, self.prefix, self.protocols, 0];
        bytes.extend(self.port.to_le_bytes());
        bytes.extend([0, 0]);
        bytes.extend(self.address);
        bytes
    }
}

/// What a manifest grants, as far as the kernel needs to know.
#[derive(Clone, Copy)]
pub struct Rules {
    /// Bits of [`capability`].
    pub capabilities: u32,
    /// 0 an app, 2 a debugger.
    pub kind: u8,
    /// Bits of power controls: 1 restart, 2 power down, 4 profile.
    pub power: u8,
    /// TCP ports to listen on.
    pub tcp: &'static [u16],
    /// UDP ports to receive on.
    pub udp: &'static [u16],
    /// Components to exchange messages with.
    pub peers: &'static [Component],
    /// Hosts to speak to.
    pub addresses: &'static [Address],
}

impl Rules {
    /// An app that asks for nothing.
    pub const NONE: Self = Self {
        capabilities: 0,
        kind: 0,
        power: 0,
        tcp: &[],
        udp: &[],
        peers: &[],
        addresses: &[],
    };

    /// The bytes for the kernel.
    pub fn encode(&self, component: &Component) -> Vec<u8> {
        let mut bytes = vec![0; 40];
        put(&mut bytes, 0, &1_u32.to_le_bytes());
        put(&mut bytes, 8, component);
        put(&mut bytes, 24, &self.capabilities.to_le_bytes());
        put(&mut bytes, 28, &[self.kind, self.power]);
        for (offset, count) in [
            (32, self.tcp.len()),
            (34, self.udp.len()),
            (36, self.peers.len()),
            (38, self.addresses.len()),
        ] {
            put(&mut bytes, offset, &(count as u16).to_le_bytes());
        }
        for port in self.tcp.iter().chain(self.udp) {
            bytes.extend(port.to_le_bytes());
        }
        for peer in self.peers {
            bytes.extend(peer);
        }
        for address in self.addresses {
            bytes.extend(address.encode());
        }
        let length = (bytes.len() as u32).to_le_bytes();
        put(&mut bytes, 4, &length);
        bytes
    }
}

/// Bits of the capability set: the keys of a manifest in alphabetical order.
pub mod capability {
    /// `AllowedApplicationConnections`.
    pub const PEERS: u32 = 1 << 1;
    /// `AllowedConnections`.
    pub const CONNECTIONS: u32 = 1 << 2;
    /// `AllowedTcpServerPorts`.
    pub const TCP: u32 = 1 << 3;
    /// `AllowedUdpServerPorts`.
    pub const UDP: u32 = 1 << 4;
    /// `NetworkConfig`.
    pub const NETWORK: u32 = 1 << 16;
    /// `PowerControls`.
    pub const POWER: u32 = 1 << 17;
    /// `SystemTime`.
    pub const TIME: u32 = 1 << 25;
    /// The first bit that no capability has.
    pub const UNKNOWN: u32 = 1 << 29;
}

/// The bytes of `struct lsm_ctx`.
fn context(module: u64, value: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for word in [module, 0, 32 + value.len() as u64, value.len() as u64] {
        bytes.extend(word.to_le_bytes());
    }
    bytes.extend(value);
    bytes
}

/// `lsm_set_self_attr` with any attribute, module and flags.
pub fn set_attribute(attribute: i64, module: u64, value: &[u8], flags: i64) -> Attempt {
    const LSM_SET_SELF_ATTR: libc::c_long = 460;
    let context = context(module, value);
    call(
        LSM_SET_SELF_ATTR,
        [
            Arg::Int(attribute),
            Arg::In(&context),
            Arg::Int(context.len() as i64),
            Arg::Int(flags),
        ],
    )
    .map(drop)
}

/// Sets the identity after the next exec.
pub fn set_next(value: &[u8]) -> Attempt {
    set_attribute(ATTR_EXEC, LSM_ID, value, 0)
}

/// Lowers the present identity.
pub fn set_current(value: &[u8]) -> Attempt {
    set_attribute(ATTR_CURRENT, LSM_ID, value, 0)
}

/// `lsm_get_self_attr` of this module: the value.
pub fn get_attribute(attribute: i64) -> Attempt<Vec<u8>> {
    const LSM_GET_SELF_ATTR: libc::c_long = 459;
    const SINGLE: i64 = 1;
    let mut buffer = context(LSM_ID, &[0; 224]);
    let mut size = (buffer.len() as u32).to_le_bytes();
    call(
        LSM_GET_SELF_ATTR,
        [
            Arg::Int(attribute),
            Arg::Out(&mut buffer),
            Arg::Out(&mut size),
            Arg::Int(SINGLE),
        ],
    )?;
    let word = |offset: usize| {
        let mut bytes = [0; 8];
        put(&mut bytes, 0, buffer.get(offset..).unwrap_or_default());
        u64::from_le_bytes(bytes)
    };
    if word(0) != LSM_ID {
        return Err(libc::EBADMSG);
    }
    let length = usize::try_from(word(24)).map_err(|_| libc::EBADMSG)?;
    Ok(buffer
        .get(32..)
        .unwrap_or_default()
        .get(..length)
        .ok_or(libc::EBADMSG)?
        .to_vec())
}

/// The bytes for the file `verified`.
pub fn verified(file: &impl AsRawFd, component: &Component) -> Vec<u8> {
    let mut bytes = 1_u32.to_le_bytes().to_vec();
    bytes.extend(file.as_raw_fd().to_le_bytes());
    bytes.extend(component);
    bytes
}

/// The IPv4 socket address.
pub fn v4(address: [u8; 4], port: u16) -> Vec<u8> {
    v4_as(libc::AF_INET, address, port)
}

/// The bytes of an IPv4 socket address that says to be of another family.
pub fn v4_as(family: libc::c_int, address: [u8; 4], port: u16) -> Vec<u8> {
    let mut bytes = (family as u16).to_le_bytes().to_vec();
    bytes.extend(port.to_be_bytes());
    bytes.extend(address);
    bytes.extend([0; 8]);
    bytes
}

/// The IPv6 socket address.
pub fn v6(address: [u8; 16], port: u16) -> Vec<u8> {
    let mut bytes = (libc::AF_INET6 as u16).to_le_bytes().to_vec();
    bytes.extend(port.to_be_bytes());
    bytes.extend([0; 4]);
    bytes.extend(address);
    bytes.extend([0; 4]);
    bytes
}

/// The IPv6 socket address that stands for an IPv4 one.
pub fn mapped(address: [u8; 4], port: u16) -> Vec<u8> {
    let mut long = [0; 16];
    put(&mut long, 10, &[0xff, 0xff]);
    put(&mut long, 12, &address);
    v6(long, port)
}

/// The IPv6 loopback address.
pub const LOOPBACK_6: [u8; 16] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];

/// The local socket address of a path, or of an abstract name when it begins with a zero byte.
pub fn unix(name: &[u8]) -> Vec<u8> {
    let mut bytes = (libc::AF_UNIX as u16).to_le_bytes().to_vec();
    bytes.extend(name);
    bytes
}
