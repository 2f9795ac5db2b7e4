// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 OR MIT

//! The record of what was refused: one line of text for each kind of denial, and the same in words.
//!
//! ```
//! use policy::DenialRecord;
//!
//! let line = "25025d2c-66da-4448-bae1-ac26fcdd3627 3 81234567890 socket_connect tcp EPERM AllowedConnections";
//! let record: DenialRecord = line.parse().unwrap();
//! assert_eq!(record.to_string(), line);
//! assert_eq!(
//!     record.in_words().to_string(),
//!     "connect to an address by TCP: refused 3 times (EPERM); add the host to \"AllowedConnections\" in the manifest"
//! );
//! ```

use core::fmt;
use core::num::ParseIntError;
use core::str::FromStr;

use crate::{Capability, ComponentId, ComponentIdError, Errno, SocketKind, Transport};

/// Defines an enum whose values have a name in records and a description for people.
macro_rules! named {
    ($(#[$documentation:meta])* $type:ident: $($(#[$value:meta])* $variant:ident = $name:literal $words:literal,)*) => {
        $(#[$documentation])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        #[repr(u8)]
        pub enum $type {
            $(#[doc = concat!("`", $name, "`: ", $words, ".")] $(#[$value])* $variant,)*
        }

        impl $type {
            /// All of them, in the order of their definition.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name in records: one word.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// The meaning for people.
            #[must_use]
            pub const fn in_words(self) -> &'static str {
                match self {
                    $(Self::$variant => $words,)*
                }
            }

            /// The value with this name.
            #[must_use]
            pub fn from_text(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.as_str() == text)
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(self.as_str())
            }
        }
    };
}

named! {
    /// A place in the kernel where the module is asked, by the name of the hook, or what else asks what a grant allows.
    Hook:
    BprmCheckSecurity = "bprm_check_security" "execute a file",
    BprmCredsForExec = "bprm_creds_for_exec" "execute a file",
    MmapFile = "mmap_file" "map memory",
    FileMprotect = "file_mprotect" "change the protection of memory",
    PtraceAccessCheck = "ptrace_access_check" "trace or look into a process",
    PtraceTraceme = "ptrace_traceme" "be traced",
    TaskKill = "task_kill" "send a signal",
    FileSendSigiotask = "file_send_sigiotask" "send a signal",
    TaskSetpgid = "task_setpgid" "make a process group",
    Capable = "capable" "use a capability of Linux",
    Settime = "settime" "set the clock",
    Syslog = "syslog" "read the kernel log",
    Quotactl = "quotactl" "read or change a quota",
    QuotaOn = "quota_on" "switch quotas on",
    SbMount = "sb_mount" "mount a file system",
    SbUmount = "sb_umount" "unmount a file system",
    SbRemount = "sb_remount" "remount a file system",
    SbPivotroot = "sb_pivotroot" "change the root",
    SbKernMount = "sb_kern_mount" "mount a file system",
    SbSetMntOpts = "sb_set_mnt_opts" "mount a file system",
    FsContextParseParam = "fs_context_parse_param" "prepare a mount",
    FsContextDup = "fs_context_dup" "prepare a mount",
    MoveMount = "move_mount" "move a mount",
    UsernsCreate = "userns_create" "make a user namespace",
    Bpf = "bpf" "use bpf",
    BpfMap = "bpf_map" "use bpf",
    BpfProg = "bpf_prog" "use bpf",
    PerfEventOpen = "perf_event_open" "open a performance event",
    KeyAlloc = "key_alloc" "make a key",
    KeyPermission = "key_permission" "use a key",
    KernelLoadData = "kernel_load_data" "load code into the kernel",
    KernelReadFile = "kernel_read_file" "load code into the kernel",
    KernelModuleRequest = "kernel_module_request" "load code into the kernel",
    PathMknod = "path_mknod" "make a device node or a set-id file",
    PathMkdir = "path_mkdir" "make a folder",
    PathChmod = "path_chmod" "change a mode",
    InodeMknod = "inode_mknod" "make a device node",
    InodeMkdir = "inode_mkdir" "make a folder",
    InodeCreate = "inode_create" "make a file",
    InodeSetattr = "inode_setattr" "change a file",
    FileReceive = "file_receive" "take an open file",
    FileOpen = "file_open" "open a file",
    FileIoctl = "file_ioctl" "control a device",
    SocketCreate = "socket_create" "make a socket",
    SocketBind = "socket_bind" "bind a socket",
    SocketListen = "socket_listen" "listen on a socket",
    SocketConnect = "socket_connect" "connect a socket",
    SocketSetsockopt = "socket_setsockopt" "set an option of a socket",
    SocketSendmsg = "socket_sendmsg" "send to an address",
    UnixStreamConnect = "unix_stream_connect" "connect to a local socket",
    UnixMaySend = "unix_may_send" "send to a local socket",
    Getselfattr = "getselfattr" "read an identity",
    Setselfattr = "setselfattr" "change an identity",
    Getprocattr = "getprocattr" "read an identity",
    Setprocattr = "setprocattr" "change an identity",
    Securityfs = "securityfs" "use a file of the application manager",
    Broker = "broker" "ask the application manager for a peripheral",
    Any = "*" "anything",
}

named! {
    /// What a request is about.
    ObjectClass:
    File = "file" "execute a file that is not verified code of this app or of the system",
    Memory = "memory" "make memory executable that was or is writable, or holds no verified code",
    Mount = "mount" "mount, unmount or change a file system",
    Process = "process" "signal, trace or look into a process that is not its own",
    ProcessGroup = "process-group" "make a process group",
    Capability = "capability" "use a privilege of Linux",
    Clock = "clock" "set the clock",
    KernelLog = "kernel-log" "read the kernel log",
    Quota = "quota" "read or change a quota",
    Namespace = "namespace" "make a namespace",
    Bpf = "bpf" "use the bpf system call",
    Perf = "perf" "measure the kernel",
    Key = "key" "use keys of the kernel",
    KernelCode = "kernel-code" "load code into the kernel",
    DeviceNode = "device-node" "make a device node",
    SetId = "set-id" "make a file set-user-id or set-group-id",
    Tcp = "tcp" "use the network by TCP",
    Udp = "udp" "use the network by UDP",
    PacketHeader = "packet-header" "put options, such as a route, into the headers of packets",
    Unix = "unix" "reach a local socket of another app",
    Intercore = "intercore" "reach an app on a real-time core",
    Socket = "socket" "use a kind of socket that no app can have",
    Descriptor = "descriptor" "take an open file of another app",
    Identity = "identity" "read or change an identity",
    Policy = "policy" "use a file of the application manager",
    Gpio = "gpio" "use a pin",
    Any = "*" "various things, beyond those listed",
}

impl ObjectClass {
    /// The class of a socket.
    #[must_use]
    pub const fn of_socket(socket: SocketKind) -> Self {
        match socket {
            SocketKind::Unix => Self::Unix,
            SocketKind::Intercore => Self::Intercore,
            SocketKind::Ip(Transport::Tcp) => Self::Tcp,
            SocketKind::Ip(Transport::Udp) => Self::Udp,
            SocketKind::Other => Self::Socket,
        }
    }
}

/// Denials of one kind: the same component, hook, object class, error and key. It has no data of the app.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DenialRecord {
    /// The app.
    pub component: ComponentId,
    /// How often; it stays at the highest number.
    pub count: u32,
    /// When for the last time, in nanoseconds since the start of the system.
    pub last: u64,
    /// Where; [`Hook::Any`] for all denials that had no room of their own.
    pub hook: Hook,
    /// What it was about.
    pub class: ObjectClass,
    /// What the call of the app returned.
    pub errno: Errno,
    /// The key of `Capabilities` that would allow it; none when no manifest can.
    pub key: Option<Capability>,
}

/// What stands for no key.
const NO_KEY: &str = "-";

impl fmt::Display for DenialRecord {
    /// The line without its end: component, count, time, hook, object class, error, key.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} {} {} {} {} {} {}",
            self.component,
            self.count,
            Decimal(self.last),
            self.hook,
            self.class,
            self.errno,
            self.key.map_or(NO_KEY, Capability::key)
        )
    }
}

/// Why a line is no record of denials.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DenialRecordError {
    /// Not seven fields with one space between them.
    Fields,
    /// The first field is not a component id.
    Component(ComponentIdError),
    /// The second field is not a number of denials.
    Count(ParseIntError),
    /// The third field is not a time.
    Last(ParseIntError),
    /// The fourth field is not a hook.
    Hook,
    /// The fifth field is not an object class.
    Class,
    /// The sixth field is not an error.
    Errno,
    /// The seventh field is not a key.
    Key,
}

impl fmt::Display for DenialRecordError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("not a record of denials: ")?;
        match self {
            Self::Fields => {
                formatter.write_str("seven fields with a space between them are needed")
            }
            Self::Component(error) => error.fmt(formatter),
            Self::Count(error) => write!(formatter, "the count: {error}"),
            Self::Last(error) => write!(formatter, "the time: {error}"),
            Self::Hook => formatter.write_str("unknown hook"),
            Self::Class => formatter.write_str("unknown object class"),
            Self::Errno => formatter.write_str("unknown error"),
            Self::Key => formatter.write_str("unknown key"),
        }
    }
}

impl core::error::Error for DenialRecordError {}

impl FromStr for DenialRecord {
    type Err = DenialRecordError;

    /// Reads one line, without its end.
    fn from_str(line: &str) -> Result<Self, Self::Err> {
        use DenialRecordError as Wrong;
        let mut fields = line.split(' ');
        let mut field = || fields.next().ok_or(Wrong::Fields);
        let (component, count, last) = (field()?, field()?, field()?);
        let (hook, class, errno, key) = (field()?, field()?, field()?, field()?);
        if fields.next().is_some() {
            return Err(Wrong::Fields);
        }
        Ok(Self {
            component: component.parse().map_err(Wrong::Component)?,
            count: count.parse().map_err(Wrong::Count)?,
            last: last.parse().map_err(Wrong::Last)?,
            hook: Hook::from_text(hook).ok_or(Wrong::Hook)?,
            class: ObjectClass::from_text(class).ok_or(Wrong::Class)?,
            errno: Errno::from_name(errno).ok_or(Wrong::Errno)?,
            key: match key {
                NO_KEY => None,
                key => Some(Capability::from_key(key).ok_or(Wrong::Key)?),
            },
        })
    }
}

/// The records of a text with one a line, as the kernel gives it.
pub fn parse(
    text: &str,
) -> impl Iterator<Item = Result<DenialRecord, DenialRecordError>> + use<'_> {
    text.lines().map(str::parse)
}

impl DenialRecord {
    /// What was refused, how often, and what to do about it.
    #[must_use]
    pub const fn in_words(&self) -> InWords<'_> {
        InWords(self)
    }

    /// What the app tried.
    #[must_use]
    pub const fn attempt(&self) -> &'static str {
        match (self.class, self.hook) {
            (ObjectClass::Tcp, Hook::SocketBind) => "bind a socket to a TCP port",
            (ObjectClass::Udp, Hook::SocketBind) => "bind a socket to a UDP port",
            (ObjectClass::Tcp, Hook::SocketListen) => "listen on a TCP port",
            (ObjectClass::Tcp, Hook::SocketConnect) => "connect to an address by TCP",
            (ObjectClass::Udp, Hook::SocketConnect) => "connect to an address by UDP",
            (ObjectClass::Tcp, Hook::SocketSendmsg) => "send to an address by TCP",
            (ObjectClass::Udp, Hook::SocketSendmsg) => "send to an address by UDP",
            (class, _) => class.in_words(),
        }
    }
}

/// A record for people; see [`DenialRecord::in_words`].
#[derive(Clone, Copy, Debug)]
pub struct InWords<'a>(&'a DenialRecord);

impl fmt::Display for InWords<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(record) = self;
        write!(formatter, "{}: refused ", record.attempt())?;
        match record.count {
            1 => formatter.write_str("once")?,
            count => write!(formatter, "{count} times")?,
        }
        write!(formatter, " ({}); ", record.errno)?;
        match (record.key, record.class) {
            (Some(key), _) => write!(formatter, "{} in the manifest", key.advice()),
            (None, ObjectClass::Any) => formatter.write_str("see the other records of the app"),
            (None, _) => formatter.write_str("no key of the manifest allows it"),
        }
    }
}

/// A number in decimal digits, written without dividing 64-bit numbers: the kernel for 32-bit ARM cannot.
struct Decimal(u64);

impl fmt::Display for Decimal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digits = [b'0'; 20];
        let mut rest = self.0;
        let mut first = digits.len();
        for (position, digit) in digits.iter_mut().enumerate().rev() {
            let (quotient, remainder) = divide_by_ten(rest);
            *digit = digit.wrapping_add(remainder);
            first = position;
            rest = quotient;
            if rest == 0 {
                break;
            }
        }
        let digits = digits.get(first..).unwrap_or_default();
        formatter.write_str(core::str::from_utf8(digits).unwrap_or_default())
    }
}

/// Quotient and remainder, by long division with digits of 16 bits.
fn divide_by_ten(number: u64) -> (u64, u8) {
    let [a, b, c, d, e, f, g, h] = number.to_be_bytes();
    let mut quotient = 0u64;
    let mut remainder = 0;
    for [high, low] in [[a, b], [c, d], [e, f], [g, h]] {
        let dividend = u32::from_be_bytes([0, remainder, high, low]);
        quotient = (quotient << 16).wrapping_add((dividend / 10).into());
        [remainder, ..] = (dividend % 10).to_le_bytes();
    }
    (quotient, remainder)
}
