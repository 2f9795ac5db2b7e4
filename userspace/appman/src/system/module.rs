// SPDX-License-Identifier: Apache-2.0 OR MIT

//! The security module of the kernel, through its files: what the manager tells it, and what it refused.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use control::Denial;
use nix::errno::Errno;
use policy::{Capability, ComponentId, DenialRecord, DenialRecordError, Grant, RuleSet};

use crate::machine::MachineError;

/// The version of the structure in the file `verified`.
const VERIFIED_VERSION: u32 = 1;

/// The files of the module.
#[derive(Debug)]
pub struct SecurityModule {
    directory: PathBuf,
}

impl SecurityModule {
    /// The module whose files are in a directory.
    pub fn new(directory: &Path) -> Self {
        Self {
            directory: directory.to_owned(),
        }
    }

    /// See [`crate::machine::Machine::allow_tracing`].
    ///
    /// # Errors
    /// When the module refuses.
    pub fn allow_tracing(&self) -> Result<(), MachineError> {
        self.write("development", b"1")
            .map_err(|error| failed("allow apps to be traced", &error, ""))
    }

    /// Says that what is mounted at `root` was verified as a package of a component.
    ///
    /// # Errors
    /// When the module refuses.
    pub fn vouch(&self, component: ComponentId, root: &Path) -> Result<(), MachineError> {
        let vouched = File::open(root).and_then(|directory| {
            let mut message = Vec::new();
            message.extend(VERIFIED_VERSION.to_le_bytes());
            message.extend(directory.as_raw_fd().to_le_bytes());
            message.extend(component.to_bytes());
            self.write("verified", &message)
        });
        vouched.map_err(|error| {
            failed(
                "tell the kernel that the package is verified",
                &error,
                "; no program of it could run",
            )
        })
    }

    /// Writes the rules of a component, in the place of those it had.
    ///
    /// # Errors
    /// When the grant has no rules, or the module refuses.
    pub fn set_rules(&self, grant: &Grant<'_>) -> Result<(), MachineError> {
        let mut buffer = vec![0; RuleSet::MAX_SIZE];
        // Nothing resolves host names yet: only what the manifest names by its address can be reached.
        let length = RuleSet::encode(grant, &[], &mut buffer).map_err(|error| MachineError {
            message: format!("the manifest makes no rules for the kernel: {error}"),
            errno: 0,
            lasting: true,
        })?;
        let rules = buffer.get(..length).unwrap_or_default();
        self.write("rules", rules).map_err(|error| {
            let hint = match errno(&error) {
                Errno::ENOSPC => "; it keeps those of 64 components: delete an app",
                _ => "",
            };
            failed("write the app's rules to the kernel", &error, hint)
        })
    }

    /// Removes the rules of a component. The module itself waits a moment for the end of its last process.
    ///
    /// # Errors
    /// When the module refuses, other than because it knows no such component.
    pub fn forget_rules(&self, component: ComponentId) -> Result<(), MachineError> {
        match self.write("remove", &component.to_bytes()) {
            Err(error) if errno(&error) != Errno::ENOENT => {
                let hint = "; they stay until the device restarts";
                Err(failed("have the kernel forget the rules", &error, hint))
            }
            _ => Ok(()),
        }
    }

    /// What was refused a component.
    ///
    /// # Errors
    /// When the list cannot be read, or has another form than this version knows.
    pub fn denials(&self, component: ComponentId) -> Result<Vec<Denial>, MachineError> {
        let text = fs::read_to_string(self.directory.join("denials"))
            .map_err(|error| failed("read what the kernel refused", &error, ""))?;
        let mut denials = Vec::new();
        for line in text.lines() {
            let record: DenialRecord =
                line.parse()
                    .map_err(|error: DenialRecordError| MachineError {
                        message: format!(
                            "the kernel's list of refusals: {error}; \
                         kernel and root file system must be of one build"
                        ),
                        errno: 0,
                        lasting: true,
                    })?;
            if record.component == component {
                denials.push(denial(&record));
            }
        }
        Ok(denials)
    }

    /// Writes to one of the files; the module takes a message in one piece or not at all.
    fn write(&self, name: &str, message: &[u8]) -> io::Result<()> {
        let mut file = OpenOptions::new()
            .write(true)
            .open(self.directory.join(name))?;
        match file.write(message)? {
            written if written == message.len() => Ok(()),
            _ => Err(io::ErrorKind::WriteZero.into()),
        }
    }
}

/// A record of the list as the control protocol tells it.
fn denial(record: &DenialRecord) -> Denial {
    Denial {
        count: record.count,
        last_ns: record.last,
        hook: record.hook.as_str().to_owned(),
        object: record.class.as_str().to_owned(),
        errno: record.errno.name().to_owned(),
        key: record.key.map(Capability::key).map(str::to_owned),
    }
}

/// A request that the module, or a file on the way to it, refused.
fn failed(what: &str, error: &io::Error, hint: &str) -> MachineError {
    let errno = errno(error);
    MachineError {
        message: format!("cannot {what}: {}{hint}", errno.desc()),
        errno: errno as i32,
        lasting: true,
    }
}

fn errno(error: &io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::EIO, Errno::from_raw)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{APP, OTHER, id};
    use policy::{AppKind, HostList};
    use tempfile::TempDir;

    /// A module that takes everything.
    fn module() -> (TempDir, SecurityModule) {
        let directory = tempfile::tempdir().unwrap();
        for name in ["development", "verified", "rules", "remove", "denials"] {
            fs::write(directory.path().join(name), "").unwrap();
        }
        let module = SecurityModule::new(directory.path());
        (directory, module)
    }

    fn written(directory: &TempDir, name: &str) -> Vec<u8> {
        fs::read(directory.path().join(name)).unwrap()
    }

    #[test]
    fn a_package_is_vouched_for_by_a_descriptor_of_its_root() {
        let (directory, module) = module();
        module.vouch(id(APP), directory.path()).unwrap();
        let message = written(&directory, "verified");
        assert_eq!(message.len(), 24);
        assert_eq!(message[..4], [1, 0, 0, 0]);
        assert!(i32::from_le_bytes(message[4..8].try_into().unwrap()) > 2);
        assert_eq!(message[8..], id(APP).to_bytes());

        let error = module.vouch(id(APP), Path::new("/nonexistent"));
        let message = error.unwrap_err().message;
        assert!(message.contains("No such file"), "{message}");
    }

    #[test]
    fn rules_are_those_of_the_grant() {
        let (directory, module) = module();
        let grant = Grant {
            hosts: HostList::from_lines("192.0.2.7\nexample.com"),
            tcp_ports: &[4444, 80],
            ..Grant::none(id(APP), AppKind::HighLevel)
        };
        module.set_rules(&grant).unwrap();
        let rules = written(&directory, "rules");
        let rules = RuleSet::parse(&rules).unwrap();
        assert_eq!(rules.component(), id(APP));
        let ports: Vec<u16> = rules.ports(policy::Transport::Tcp).collect();
        assert_eq!(ports, [80, 4444]);
        assert_eq!(rules.addresses().count(), 1);
    }

    #[test]
    fn a_grant_that_the_kernel_cannot_keep_is_refused_with_its_key() {
        let (directory, module) = module();
        let ports: Vec<u16> = (1..=65).collect();
        let grant = |count: usize| Grant {
            udp_ports: &ports[..count],
            ..Grant::none(id(APP), AppKind::HighLevel)
        };
        let message = module.set_rules(&grant(65)).unwrap_err().message;
        assert!(message.contains("AllowedUdpServerPorts"), "{message}");
        assert!(written(&directory, "rules").is_empty());
        module.set_rules(&grant(64)).unwrap();
    }

    #[test]
    fn rules_are_removed_by_component() {
        let (directory, module) = module();
        module.forget_rules(id(APP)).unwrap();
        assert_eq!(written(&directory, "remove"), id(APP).to_bytes());
        // A directory takes no request.
        let remove = directory.path().join("remove");
        fs::remove_file(&remove).unwrap();
        fs::create_dir(&remove).unwrap();
        let message = module.forget_rules(id(APP)).unwrap_err().message;
        assert!(message.contains("until the device restarts"), "{message}");
    }

    #[test]
    fn a_component_that_nobody_knows_is_forgotten_already() {
        let (directory, module) = module();
        fs::remove_file(directory.path().join("remove")).unwrap();
        module.forget_rules(id(APP)).unwrap();
    }

    #[test]
    fn tracing_is_switched_on_by_one_character() {
        let (directory, module) = module();
        module.allow_tracing().unwrap();
        assert_eq!(written(&directory, "development"), b"1");
        fs::remove_file(directory.path().join("development")).unwrap();
        let refused = module.allow_tracing().unwrap_err();
        assert_eq!(refused.errno, Errno::ENOENT as i32);
    }

    #[test]
    fn denials_of_one_component_are_read() {
        let (directory, module) = module();
        let list = directory.path().join("denials");
        fs::write(
            &list,
            format!(
                "{APP} 3 81234567890 socket_connect tcp EPERM AllowedConnections\n\
                 {OTHER} 1 5 capable capability EPERM SystemTime\n\
                 {APP} 1 6 mmap_file memory EACCES -\n"
            ),
        )
        .unwrap();
        let denials = module.denials(id(APP)).unwrap();
        assert_eq!(denials.len(), 2);
        let first = &denials[0];
        assert_eq!((first.count, first.last_ns), (3, 81_234_567_890));
        assert_eq!(first.key.as_deref(), Some("AllowedConnections"));
        assert_eq!(
            (denials[1].hook.as_str(), denials[1].object.as_str()),
            ("mmap_file", "memory")
        );
        assert_eq!(denials[1].key, None);

        fs::write(&list, "something else\n").unwrap();
        let message = module.denials(id(APP)).unwrap_err().message;
        assert!(message.contains("one build"), "{message}");
    }
}
