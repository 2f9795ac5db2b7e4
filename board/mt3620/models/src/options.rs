// SPDX-License-Identifier: GPL-2.0-or-later
//! What public sources do not tell of the chip, or tell differently. Each is a property of the machine.

/// Which bit of the mailbox's `INT_EN` and `INT_STS` stands for which event: the sources disagree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MailboxLayout {
    /// NE 0, WR 1, NF 2, RD 3: MediaTek's code for the real-time cores.
    #[default]
    Mediatek,
    /// RD 0, NF 1, WR 2, NE 3: Codethink's drivers.
    Codethink,
    /// RD 0, WR 1, NE 2, NF 3: what Microsoft's Linux driver acknowledges.
    Linux,
}

impl MailboxLayout {
    /// All of them, for tests.
    pub const ALL: [Self; 3] = [Self::Mediatek, Self::Codethink, Self::Linux];
}

/// Where the registers of the GPIO block for pads without a group lie: the sources disagree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LayoutB {
    /// Twice as far apart from the second register on.
    #[default]
    Mediatek,
    /// As in all other blocks.
    Linux,
}

/// All that is unknown, with what we suppose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The meaning of the bits of `INT_EN` and `INT_STS`.
    pub mailbox_layout: MailboxLayout,
    /// `INT_EN` of the A7's ends after reset. Microsoft's driver never writes it and has interrupts.
    pub mailbox_interrupts: u32,
    /// Whether the DATA latch keeps its value when an entry is posted.
    pub mailbox_keeps_data: bool,
    /// Whether a reset of an end leaves it the entries that its peer has posted.
    pub mailbox_keeps_entries: bool,
    /// The version register.
    pub mailbox_version: u32,
    /// The layout of the block at 0x30020000.
    pub gpio_layout_b: LayoutB,
    /// Whether all inputs are enabled after reset. Microsoft's driver never enables one and reads them.
    pub gpio_inputs_on: bool,
    /// Whether a pin is an external interrupt only in pin mode 5.
    pub eint_needs_mode: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            mailbox_layout: MailboxLayout::default(),
            mailbox_interrupts: 0xF,
            mailbox_keeps_data: true,
            mailbox_keeps_entries: true,
            mailbox_version: 0x3620_0000,
            gpio_layout_b: LayoutB::default(),
            gpio_inputs_on: true,
            eint_needs_mode: false,
        }
    }
}

/// Names, what they choose, and which values they have.
pub const NAMES: [(&str, &str); 8] = [
    (
        "mbox-layout",
        "bits of INT_EN and INT_STS: mediatek, codethink or linux",
    ),
    (
        "mbox-int-en-reset",
        "INT_EN of the A7's ends after reset: 0 to 15",
    ),
    (
        "mbox-data-latch",
        "the DATA latch after a post: keep or clear",
    ),
    (
        "mbox-reset",
        "entries of the peer when an end resets itself: keep or drop",
    ),
    ("mbox-version", "the version register: a number"),
    (
        "gpio-b-layout",
        "registers of the GPIO block at 0x30020000: mediatek or linux",
    ),
    ("gpio-ies-reset", "inputs enabled after reset: on or off"),
    (
        "eint-needs-mode5",
        "external interrupts in pin mode 5 only: on or off",
    ),
];

fn number(value: &str) -> Option<u32> {
    match value.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => value.parse().ok(),
    }
}

fn choice<T: Copy>(value: &str, choices: &[(&str, T)]) -> Option<T> {
    choices
        .iter()
        .find(|(name, _)| *name == value)
        .map(|(_, meaning)| *meaning)
}

impl Options {
    /// Sets one by its name.
    ///
    /// # Errors
    ///
    /// What is wrong with the name or the value.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        let Some((_, meaning)) = NAMES.iter().find(|(known, _)| *known == name) else {
            return Err(format!("no option '{name}'"));
        };
        let wrong = || format!("{name}={value}: not one of its values ({meaning})");
        match name {
            "mbox-layout" => {
                let layouts = [
                    ("mediatek", MailboxLayout::Mediatek),
                    ("codethink", MailboxLayout::Codethink),
                    ("linux", MailboxLayout::Linux),
                ];
                self.mailbox_layout = choice(value, &layouts).ok_or_else(wrong)?;
            }
            "mbox-int-en-reset" => {
                self.mailbox_interrupts = number(value)
                    .filter(|mask| *mask <= 0xF)
                    .ok_or_else(wrong)?
            }
            "mbox-data-latch" => {
                self.mailbox_keeps_data =
                    choice(value, &[("keep", true), ("clear", false)]).ok_or_else(wrong)?
            }
            "mbox-reset" => {
                self.mailbox_keeps_entries =
                    choice(value, &[("keep", true), ("drop", false)]).ok_or_else(wrong)?
            }
            "mbox-version" => self.mailbox_version = number(value).ok_or_else(wrong)?,
            "gpio-b-layout" => {
                self.gpio_layout_b = choice(
                    value,
                    &[("mediatek", LayoutB::Mediatek), ("linux", LayoutB::Linux)],
                )
                .ok_or_else(wrong)?;
            }
            "gpio-ies-reset" => {
                self.gpio_inputs_on =
                    choice(value, &[("on", true), ("off", false)]).ok_or_else(wrong)?
            }
            _ => {
                self.eint_needs_mode =
                    choice(value, &[("on", true), ("off", false)]).ok_or_else(wrong)?
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_takes_its_values_and_no_other() {
        let values = [
            ("mbox-layout", "linux"),
            ("mbox-int-en-reset", "0"),
            ("mbox-data-latch", "clear"),
            ("mbox-reset", "drop"),
            ("mbox-version", "0x12345678"),
            ("gpio-b-layout", "linux"),
            ("gpio-ies-reset", "off"),
            ("eint-needs-mode5", "on"),
        ];
        assert_eq!(values.map(|(name, _)| name), NAMES.map(|(name, _)| name));
        let mut options = Options::default();
        for (name, value) in values {
            let before = options.clone();
            assert!(options.set(name, "nonsense").unwrap_err().contains(name));
            assert_eq!(options, before, "{name} was changed by nonsense");
            options.set(name, value).unwrap();
            assert_ne!(options, before, "{name} changes nothing");
        }
        assert!(options.set("mbox-int-en-reset", "16").is_err());
        assert!(
            options
                .set("mbox-colour", "red")
                .unwrap_err()
                .contains("no option")
        );
    }
}
