// SPDX-License-Identifier: GPL-2.0

//! The real-time cores of the MediaTek MT3620: what runs on them, and the sockets to it.
//!
//! The application manager starts and stops a core by its device. An app on the Cortex-A7 exchanges
//! messages with the app on a core by a socket of family 43, when each of both manifests lists the
//! other. What goes over the memory that cores share is the protocol of [`intercore`].
//!
//! | file | about |
//! |---|---|
//! | `registers.rs` | the registers of core control |
//! | `chip.rs` | what the driver wants of the chip, and the chip |
//! | `realtime.rs` | a core: start, stop, and what becomes of it |
//! | `run.rs` | an app that runs on it: its channel, and the sockets connected to it |
//! | `device.rs` | the devices of the manager |
//! | `socket.rs` | the sockets of the apps |
//!
//! A core can do whatever it likes with the memory that it is given. It gets messages of its own
//! lost, or its channel halted, and nothing of the other core, which has a lock, a worker and
//! memory of its own. Everything runs in the context of a task.
#![deny(unsafe_code)]

use kernel::{
    c_str,
    device::{
        property::FwNode,
        Bound,
        Device, //
    },
    irq::{
        Flags,
        IrqReturn,
        ThreadedHandler,
        ThreadedIrqReturn,
        ThreadedRegistration, //
    },
    mailbox::client::Channel,
    miscdevice::{
        MiscDeviceOptions,
        MiscDeviceRegistration, //
    },
    net::datagram,
    of,
    platform,
    prelude::*,
    sync::{
        aref::ARef,
        Arc, //
    }, //
};

use intercore::CORES;

mod chip;
mod device;
#[cfg(CONFIG_KUNIT = "y")]
mod kunit;
mod realtime;
mod registers;
mod run;
mod socket;

use crate::{
    chip::{
        Bell,
        Chip,
        Fifo,
        Hardware,
        Mailbox,
        Regions, //
    },
    device::RtCore,
    realtime::{
        Core,
        Shared, //
    },
    registers::{
        Event,
        Version,
        BLOCK_STRIDE, //
    }, //
};

/// A socket of the family.
type Socket = datagram::Socket<Shared<Hardware>>;

/// What a core is called, in the device tree and in `/dev`.
struct Names {
    interrupt: &'static CStr,
    fifo: &'static CStr,
    doorbell: &'static CStr,
    device: &'static CStr,
}

const NAMES: [Names; CORES] = [
    Names {
        interrupt: c_str!("io0"),
        fifo: c_str!("io0-fifo"),
        doorbell: c_str!("io0-doorbell"),
        device: c_str!("rtcore0"),
    },
    Names {
        interrupt: c_str!("io1"),
        fifo: c_str!("io1-fifo"),
        doorbell: c_str!("io1-doorbell"),
        device: c_str!("rtcore1"),
    },
];

/// The interrupt of a core that has stopped or was reset by itself.
struct Interrupt(Arc<Core<Hardware>>);

impl ThreadedHandler for Interrupt {
    fn handle(&self, _dev: &Device<Bound>) -> ThreadedIrqReturn {
        match self.0.chip.read::<Event>() {
            Ok(Event(0)) | Err(_) => ThreadedIrqReturn::None,
            Ok(_) => ThreadedIrqReturn::WakeThread,
        }
    }

    fn handle_threaded(&self, _dev: &Device<Bound>) -> IrqReturn {
        // First it is cleared and then looked, so that no event is lost.
        if self.0.chip.write(Event::STOPPED).is_err() {
            return IrqReturn::None;
        }
        self.0.event();
        IrqReturn::Handled
    }
}

/// A core that is bound: nobody uses it any more when this is dropped.
struct Bond(Arc<Core<Hardware>>);

impl Drop for Bond {
    fn drop(&mut self) {
        self.0.retire();
    }
}

/// The driver of the device. What is used by others goes last.
struct Intercore {
    _devices: KVec<Pin<KBox<MiscDeviceRegistration<RtCore>>>>,
    _family: datagram::Registration<Shared<Hardware>>,
    _interrupts: KVec<Pin<KBox<ThreadedRegistration<Interrupt>>>>,
    _bonds: KVec<Bond>,
}

kernel::of_device_table!(
    OF_TABLE,
    MODULE_OF_TABLE,
    <Intercore as platform::Driver>::IdInfo,
    [(of::DeviceId::new(c_str!("nacre,mt3620-core-control")), ())]
);

impl platform::Driver for Intercore {
    type IdInfo = ();
    const OF_ID_TABLE: Option<of::IdTable<Self::IdInfo>> = Some(&OF_TABLE);

    fn probe(
        pdev: &platform::Device<kernel::device::Core>,
        _info: Option<&()>,
    ) -> Result<Pin<KBox<Self>>> {
        let dev: &Device<kernel::device::Core> = pdev.as_ref();
        let node = dev.fwnode().ok_or(ENODEV)?;
        let request = pdev.io_request_by_index(0).ok_or_else(|| {
            dev_err!(dev, "{node}: reg is missing\n");
            EINVAL
        })?;
        let io = request.iomap_shared()?;
        if io.access(dev)?.maxsize() < CORES * BLOCK_STRIDE {
            dev_err!(dev, "{node}: reg ends before the block of the last core\n");
            return Err(EINVAL);
        }
        let regions = Regions::new(dev)?;
        let shared = Arc::pin_init(Shared::new(), GFP_KERNEL)?;

        let mut bonds = KVec::with_capacity(CORES, GFP_KERNEL)?;
        let mut interrupts = KVec::with_capacity(CORES, GFP_KERNEL)?;
        for (number, names) in NAMES.iter().enumerate() {
            let place = regions.buffers_of(dev, number)?;
            let chip = Hardware::new(ARef::from(&**dev), number, io.clone(), place);
            let core = Core::new(number, regions.image_size(), shared.clone(), chip);
            let core = Arc::pin_init(core, GFP_KERNEL)?;
            let version: Version = core.chip.read()?;
            if version != Version::KNOWN {
                dev_err!(
                    dev,
                    "{node}: core control {number} has version {:#010x}, only {:#010x} is known\n",
                    version.0,
                    Version::KNOWN.0
                );
                return Err(ENODEV);
            }
            // From here on it is taken back when something is missing.
            bonds.push(Bond(core.clone()), GFP_KERNEL)?;
            *core.chip.mailbox.lock() = Some(mailbox(dev, node, &core, names)?);
            let irq = pdev
                .optional_irq_by_name(names.interrupt)
                .inspect_err(|error| {
                    if *error != EPROBE_DEFER {
                        let name = names.interrupt;
                        dev_err!(dev, "{node}: interrupt \"{name}\" is missing: {error:?}\n");
                    }
                })?;
            let registration = ThreadedRegistration::new(
                irq,
                Flags::ONESHOT,
                c_str!("mt3620-core-control"),
                Ok(Interrupt(core.clone())),
            );
            interrupts.push(KBox::pin_init(registration, GFP_KERNEL)?, GFP_KERNEL)?;
            core.listen()?;
        }

        let family = datagram::Registration::new(shared)?;
        let mut devices = KVec::with_capacity(CORES, GFP_KERNEL)?;
        for (bond, names) in bonds.iter().zip(&NAMES) {
            let options = MiscDeviceOptions { name: names.device };
            let device = MiscDeviceRegistration::register(options, bond.0.clone());
            devices.push(KBox::pin_init(device, GFP_KERNEL)?, GFP_KERNEL)?;
        }
        Ok(KBox::new(
            Self {
                _devices: devices,
                _family: family,
                _interrupts: interrupts,
                _bonds: bonds,
            },
            GFP_KERNEL,
        )?
        .into())
    }
}

/// Requests the mailbox of a core, or says which channel is not there.
fn mailbox(
    dev: &Device<Bound>,
    node: &FwNode,
    core: &Arc<Core<Hardware>>,
    names: &Names,
) -> Result<Mailbox> {
    let missing = |name: &CStr, error: &Error| {
        if *error != EPROBE_DEFER {
            dev_err!(
                dev,
                "{node}: mailbox \"{name}\" cannot be used: {error:?}\n"
            );
        }
    };
    let fifo = Channel::request_by_name(dev, names.fifo, Ok(Fifo));
    let fifo = KBox::pin_init(fifo, GFP_KERNEL).inspect_err(|error| missing(names.fifo, error))?;
    let doorbells = Channel::request_by_name(dev, names.doorbell, Ok(Bell(core.clone())));
    let doorbells = KBox::pin_init(doorbells, GFP_KERNEL)
        .inspect_err(|error| missing(names.doorbell, error))?;
    Ok(Mailbox { fifo, doorbells })
}

kernel::module_platform_driver! {
    type: Intercore,
    name: "mt3620_intercore",
    authors: ["Nacre maintainers"],
    description: "Real-time cores of the MediaTek MT3620",
    license: "GPL v2",
}
