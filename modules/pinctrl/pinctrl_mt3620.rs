// SPDX-License-Identifier: GPL-2.0

//! The pin controller of the MediaTek MT3620: multiplexer, GPIO lines and their interrupts.
//!
//! | file | about |
//! |---|---|
//! | `registers.rs` | the registers and their bits |
//! | `pins.rs` | the pins and their functions |
//! | `controller.rs` | what is done with them |
//! | `io.rs` | registers in memory |
//!
//! A pin has one user at a time: a device that has a function there, or whoever requested the GPIO
//! line. The device tree binding is `mediatek,mt3620-pinctrl`; it also says what is not known about
//! the chip.
#![deny(unsafe_code)]

use kernel::{
    c_str,
    device::{
        property::FwNode,
        Bound,
        Core,
        Device, //
    },
    gpio,
    irq::{
        self,
        IrqReturn, //
    },
    of,
    pinctrl,
    platform,
    prelude::*,
    sync::Arc, //
};

use crate::{
    controller::{
        Choices,
        Controller, //
    },
    io::Mapped,
    registers::{
        Eint,
        Spacing, //
    },
};

mod controller;
mod io;
mod pins;
mod registers;

#[cfg(CONFIG_KUNIT)]
mod kunit;

/// The interrupt of a line, as the controller gets it from its parent.
struct Line {
    chip: Arc<gpio::Registration<Controller<Mapped>>>,
    line: u32,
}

impl irq::Handler for Line {
    fn handle(&self, dev: &Device<Bound>) -> IrqReturn {
        match self.chip.handle_irq(dev, self.line) {
            Ok(()) => IrqReturn::Handled,
            Err(_) => IrqReturn::None,
        }
    }
}

/// A controller that is bound. What is used by others goes last.
struct Mt3620Pinctrl {
    _interrupts: KVec<Pin<KBox<irq::Registration<Line>>>>,
    _gpio: Arc<gpio::Registration<Controller<Mapped>>>,
    _pinctrl: Pin<KBox<pinctrl::Registration<Controller<Mapped>>>>,
}

kernel::of_device_table!(
    OF_TABLE,
    MODULE_OF_TABLE,
    (),
    [(of::DeviceId::new(c_str!("mediatek,mt3620-pinctrl")), ())]
);

impl platform::Driver for Mt3620Pinctrl {
    type IdInfo = ();
    const OF_ID_TABLE: Option<of::IdTable<Self::IdInfo>> = Some(&OF_TABLE);

    fn probe(pdev: &platform::Device<Core>, _info: Option<&()>) -> Result<Pin<KBox<Self>>> {
        let dev = pdev.as_ref();
        let node = dev.fwnode().ok_or(ENODEV)?;

        // Everything that can be wrong with the device tree comes before the chip is touched.
        let choices = choices(dev, node)?;
        check_interrupts(pdev, node)?;
        let bus = Mapped::new(pdev, node)?;

        let controller = Arc::pin_init(Controller::new(bus, choices), GFP_KERNEL)?;
        controller.reset(dev)?;
        let pinctrl = KBox::pin_init(
            pinctrl::Registration::new(dev, &THIS_MODULE, controller.clone()),
            GFP_KERNEL,
        )?;
        let gpio = Arc::pin_init(
            gpio::Registration::with_interrupts(dev, &THIS_MODULE, controller),
            GFP_KERNEL,
        )?;
        let mut interrupts = KVec::with_capacity(Eint::COUNT as usize, GFP_KERNEL)?;
        for line in 0..Eint::COUNT {
            let handler = Line {
                chip: gpio.clone(),
                line,
            };
            let registration = pdev.request_irq_by_index(
                irq::Flags::TRIGGER_NONE,
                line,
                c_str!("mt3620-eint"),
                Ok(handler),
            )?;
            interrupts.push_within_capacity(KBox::pin_init(registration, GFP_KERNEL)?)?;
        }
        Ok(KBox::new(
            Self {
                _interrupts: interrupts,
                _gpio: gpio,
                _pinctrl: pinctrl,
            },
            GFP_KERNEL,
        )?
        .into())
    }
}

/// What the device tree says about that which is not known.
fn choices(dev: &Device, node: &FwNode) -> Result<Choices> {
    let name = c_str!("mediatek,drive-strengths");
    let drive_strengths = match node.property_present(name) {
        true => {
            if node.property_count_elem::<u32>(name) != Ok(4) {
                dev_err!(dev, "{node}: {name} does not have four values\n");
                return Err(EINVAL);
            }
            Some(node.property_read(name).required_by(dev)?)
        }
        false => None,
    };
    let spacing = match node.property_read_bool(c_str!("mediatek,unmapped-uniform")) {
        true => Spacing::Uniform,
        false => Spacing::Doubled,
    };
    Ok(Choices {
        spacing,
        polarity_low: node.property_read_bool(c_str!("mediatek,eint-polarity-low")),
        eint_needs_mode: node.property_read_bool(c_str!("mediatek,eint-needs-mode")),
        drive_strengths,
    })
}

/// Checks that there is an interrupt for each line that can have one.
fn check_interrupts(pdev: &platform::Device<Core>, node: &FwNode) -> Result {
    for index in 0..Eint::COUNT {
        if let Err(error) = pdev.optional_irq_by_index(index) {
            if error != EPROBE_DEFER {
                dev_err!(
                    pdev.as_ref(),
                    "{node}: interrupts has no usable entry {index} of {}: {error:?}\n",
                    Eint::COUNT
                );
            }
            return Err(error);
        }
    }
    Ok(())
}

kernel::module_platform_driver! {
    type: Mt3620Pinctrl,
    name: "pinctrl_mt3620",
    authors: ["Nacre maintainers"],
    description: "Pin controller of the MediaTek MT3620",
    license: "GPL",
}
