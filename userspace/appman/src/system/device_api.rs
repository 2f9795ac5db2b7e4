// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Starts the device API in a sandbox of its own.

use std::net::SocketAddrV4;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use nix::fcntl::{OFlag, open};
use nix::sched::{CloneFlags, unshare};
use nix::sys::stat::Mode;
use policy::ComponentId;
use sandbox::{Cgroups, DEVICE_API_UID, Limits, ServicePlan, confine_service};
use sys::process::{Forked, SingleThreaded, exit, fork};

use crate::board::ServiceInterface;
use crate::system::machine::LIBRARIES;
use crate::system::power::say;

/// The program.
const PROGRAM: &str = "/usr/bin/device-api";
/// Its name among the control groups.
const GROUP: &str = "device-api";
/// What it may read: its certificate and its key.
const FILES: [&str; 2] = [
    "/etc/nacre/device-api.crt.pem",
    "/etc/nacre/device-api.key.pem",
];
/// Exit code of a process that could not be confined; the console says why.
const FAILED: u8 = 125;

/// The port of the device API.
pub const PORT: u16 = 443;
/// Connections that may wait to be accepted.
const WAITING_CONNECTIONS: u16 = 8;

/// What the device API is started with.
#[derive(Debug)]
pub struct DeviceApi {
    /// Where it serves.
    pub interface: ServiceInterface,
    /// The listening socket, once there is one; it becomes descriptor 3.
    pub listener: Option<OwnedFd>,
    /// The empty network of the apps; without one it gets one of its own.
    pub network: Option<OwnedFd>,
    /// The control groups.
    pub cgroups: Option<Cgroups>,
    /// What the security module knows it as; `None` when the kernel lacks the module, so that somebody is there
    /// to tell why no app starts.
    pub component: Option<ComponentId>,
}

impl DeviceApi {
    /// Starts it with its end of the control channel, which becomes its descriptor 4. Answers its process.
    /// The first start sets up the interface.
    ///
    /// # Errors
    /// When there is no such interface, or no process can be made. A process that cannot be confined ends,
    /// and says why on the console.
    pub fn start(&mut self, control: &OwnedFd) -> Result<i32, String> {
        let cgroups = self.cgroups.as_ref().ok_or("there are no control groups")?;
        let cgroup = cgroups
            .service(GROUP, &Limits::SERVICE)
            .map_err(|error| error.to_string())?;
        let listener = match &self.listener {
            Some(listener) => listener,
            None => self.listener.insert(listen(&self.interface)?),
        };
        let single = SingleThreaded::confirm().map_err(|errno| errno.to_string())?;
        match fork(&single).map_err(|errno| errno.to_string())? {
            Forked::Parent { child } => Ok(child.as_raw()),
            Forked::Child => {
                let files = FILES.map(Path::new);
                let plan = ServicePlan {
                    identity: DEVICE_API_UID,
                    component: self.component,
                    program: Path::new(PROGRAM),
                    arguments: &[],
                    libraries: Path::new(LIBRARIES),
                    files: &files,
                    limits: Limits::SERVICE,
                };
                let gifts = [listener.as_fd(), control.as_fd()];
                let error = match &self.network {
                    Some(network) => confine(&plan, &cgroup, network.as_fd(), &gifts),
                    None => match own_network() {
                        Ok(network) => confine(&plan, &cgroup, network.as_fd(), &gifts),
                        Err(errno) => format!("cannot make an empty network: {errno}"),
                    },
                };
                say(&format!("device API: {error}"));
                exit(FAILED)
            }
        }
    }
}

fn listen(interface: &ServiceInterface) -> Result<OwnedFd, String> {
    let ServiceInterface {
        name,
        address,
        netmask,
    } = interface;
    let socket = SocketAddrV4::new(*address, PORT);
    sys::interface::configure(name, *address, *netmask)
        .and_then(|()| sys::interface::listen_on(name, socket, WAITING_CONNECTIONS))
        .map_err(|errno| format!("cannot listen on {socket} at {name}: {}", errno.desc()))
}

fn confine(
    plan: &ServicePlan<'_>,
    cgroup: &sandbox::Cgroup,
    network: BorrowedFd<'_>,
    gifts: &[BorrowedFd<'_>],
) -> String {
    match confine_service(plan, cgroup, network, gifts) {
        Err(failure) => failure.to_string(),
        Ok(never) => match never {},
    }
}

fn own_network() -> sys::Result<OwnedFd> {
    unshare(CloneFlags::CLONE_NEWNET)?;
    let flags = OFlag::O_RDONLY | OFlag::O_CLOEXEC;
    open("/proc/self/ns/net", flags, Mode::empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_interface_is_told() {
        let mut interface = crate::testing::board().service_interface;
        interface.name = "nacre-none0".to_owned();
        let message = listen(&interface).unwrap_err();
        assert!(message.contains("nacre-none0"), "{message}");
        assert!(message.contains("192.168.35.2:443"), "{message}");
    }
}
