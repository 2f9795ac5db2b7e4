// SPDX-License-Identifier: GPL-2.0-or-later
//! The C side, declared in `include/mt3620_models.h`: the only module with `unsafe`.
//!
//! A model is used by one thread at a time (QEMU holds its big lock), and its callbacks do not come back to it.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_char, c_void};
use std::ptr;
use std::slice;

use crate::chip::Chip;
use crate::host::{Complaint, Core, Host, Target};
use crate::map::{REGIONS, Space};
use crate::options::{NAMES, Options};

/// The callbacks of the surroundings, `struct Mt3620Host`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct CallBacks {
    opaque: *mut c_void,
    now: extern "C" fn(*mut c_void) -> u64,
    set_timer: extern "C" fn(*mut c_void, bool, u64),
    set_irq: extern "C" fn(*mut c_void, u32, u32, bool),
    read_memory: extern "C" fn(*mut c_void, u32, *mut u8, usize) -> bool,
    write_core: extern "C" fn(*mut c_void, u32, u32, *const u8, usize) -> bool,
    start_core: extern "C" fn(*mut c_void, u32),
    stop_core: extern "C" fn(*mut c_void, u32),
    grant: extern "C" fn(*mut c_void, u32, u32, u32, u32),
    reset_machine: extern "C" fn(*mut c_void),
    tell_pins: extern "C" fn(*mut c_void, *const u8, usize),
    complain: extern "C" fn(*mut c_void, bool, *const c_char),
}

/// Text for C: without the zeros that it may not have, and with the one that it needs.
fn c_text(text: &str) -> Vec<u8> {
    text.bytes().filter(|byte| *byte != 0).chain([0]).collect()
}

impl Host for CallBacks {
    fn now(&self) -> u64 {
        (self.now)(self.opaque)
    }

    fn set_timer(&mut self, at: Option<u64>) {
        (self.set_timer)(self.opaque, at.is_some(), at.unwrap_or(0));
    }

    fn set_irq(&mut self, target: Target, number: u32, level: bool) {
        let target = match target {
            Target::A7 => 0,
            Target::M4(core) => 1 + core.number(),
        };
        (self.set_irq)(self.opaque, target, number, level);
    }

    fn read_memory(&mut self, address: u32, into: &mut [u8]) -> bool {
        (self.read_memory)(self.opaque, address, into.as_mut_ptr(), into.len())
    }

    fn write_core(&mut self, core: Core, address: u32, bytes: &[u8]) -> bool {
        (self.write_core)(
            self.opaque,
            core.number(),
            address,
            bytes.as_ptr(),
            bytes.len(),
        )
    }

    fn start_core(&mut self, core: Core, _: u32) {
        (self.start_core)(self.opaque, core.number());
    }

    fn stop_core(&mut self, core: Core) {
        (self.stop_core)(self.opaque, core.number());
    }

    fn grant(&mut self, core: Core, slot: u32, range: Option<(u32, u32)>) {
        let (address, size) = range.unwrap_or((0, 0));
        (self.grant)(self.opaque, core.number(), slot, address, size);
    }

    fn reset_machine(&mut self) {
        (self.reset_machine)(self.opaque);
    }

    fn tell_pins(&mut self, line: &str) {
        let line = format!("{line}\n");
        (self.tell_pins)(self.opaque, line.as_ptr(), line.len());
    }

    fn complain(&mut self, kind: Complaint, text: &str) {
        let text = c_text(text);
        (self.complain)(
            self.opaque,
            kind == Complaint::GuestError,
            text.as_ptr().cast(),
        );
    }
}

/// A model as C has it: options first, the chip when the machine is made.
#[derive(Default)]
pub struct Model {
    options: Options,
    made: Option<(Chip, CallBacks)>,
}

/// A region as C has it, `struct Mt3620Region`.
#[repr(C)]
pub struct Region {
    name: [c_char; 32],
    space: u32,
    base: u32,
    size: u32,
}

/// Text that C has given.
///
/// # Safety
///
/// `text` is null, or points to bytes that end in a zero and stay as they are.
unsafe fn text<'a>(text: *const c_char) -> Option<&'a str> {
    if text.is_null() {
        return None;
    }
    // SAFETY: the caller says so.
    unsafe { CStr::from_ptr(text) }.to_str().ok()
}

/// Bytes that C has given.
///
/// # Safety
///
/// `bytes` is null, or points to `length` bytes that stay as they are.
unsafe fn bytes<'a>(bytes: *const u8, length: usize) -> &'a [u8] {
    if bytes.is_null() {
        return &[];
    }
    // SAFETY: the caller says so.
    unsafe { slice::from_raw_parts(bytes, length) }
}

/// Copies text, as much as fits, for C.
///
/// # Safety
///
/// `into` is null, or points to `size` bytes that may be written.
unsafe fn copy_out(text: &str, into: *mut c_char, size: usize) {
    let text = c_text(text);
    let Some(room) = size.checked_sub(1).filter(|_| !into.is_null()) else {
        return;
    };
    let length = room.min(text.len() - 1);
    // SAFETY: `length` is less than `size`, which is how much may be written, and not more than there is of the text.
    unsafe {
        ptr::copy_nonoverlapping(text.as_ptr().cast(), into, length);
        into.add(length).write(0);
    }
}

/// What a model does, once its chip is made.
///
/// # Safety
///
/// `model` is null, or came from [`mt3620_new`] and is used by nobody else at this time.
unsafe fn with_chip<T: Default>(
    model: *mut Model,
    act: impl FnOnce(&mut Chip, &mut CallBacks) -> T,
) -> T {
    // SAFETY: the caller says so.
    match unsafe { model.as_mut() }.and_then(|model| model.made.as_mut()) {
        Some((chip, host)) => act(chip, host),
        None => T::default(),
    }
}

/// The same for one of its real-time cores.
///
/// # Safety
///
/// As [`with_chip`].
unsafe fn with_core<T: Default>(
    model: *mut Model,
    core: u32,
    act: impl FnOnce(&mut Chip, &mut CallBacks, Core) -> T,
) -> T {
    // SAFETY: the caller says so.
    unsafe {
        with_chip(model, |chip, host| {
            Core::from_number(core)
                .map(|core| act(chip, host, core))
                .unwrap_or_default()
        })
    }
}

/// Makes a model with what is supposed of the chip.
#[unsafe(no_mangle)]
pub extern "C" fn mt3620_new() -> *mut Model {
    Box::into_raw(Box::default())
}

/// Tells the name and the meaning of an option; false when there are no more.
///
/// # Safety
///
/// `name` and `meaning` point to `size` bytes each.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt3620_option(
    index: usize,
    name: *mut c_char,
    meaning: *mut c_char,
    size: usize,
) -> bool {
    let Some((known, means)) = NAMES.get(index) else {
        return false;
    };
    // SAFETY: the caller gives room.
    unsafe {
        copy_out(known, name, size);
        copy_out(means, meaning, size);
    }
    true
}

/// Sets an option before the chip is made; false with a reason when that is not possible.
///
/// # Safety
///
/// `model` is from [`mt3620_new`], `name` and `value` end in a zero, `reason` points to `size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt3620_set_option(
    model: *mut Model,
    name: *const c_char,
    value: *const c_char,
    reason: *mut c_char,
    size: usize,
) -> bool {
    // SAFETY: the caller says so.
    let (model, name, value) = unsafe { (model.as_mut(), text(name), text(value)) };
    let result = match (model, name, value) {
        (Some(model), Some(name), Some(value)) if model.made.is_none() => {
            model.options.set(name, value)
        }
        _ => Err("not an option".into()),
    };
    if let Err(why) = &result {
        // SAFETY: the caller gives room.
        unsafe { copy_out(why, reason, size) };
    }
    result.is_ok()
}

/// Tells where a region of registers lies; false when there are no more.
///
/// # Safety
///
/// `region` points to a region that may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt3620_region(index: usize, region: *mut Region) -> bool {
    let Some(known) = REGIONS.get(index) else {
        return false;
    };
    let space = match known.space {
        Space::A7 => 0,
        Space::M4(core) => 1 + core.number(),
    };
    let mut told = Region {
        name: [0; 32],
        space,
        base: known.base,
        size: known.size,
    };
    // SAFETY: the name has room, and `region` may be written.
    unsafe {
        copy_out(known.name, told.name.as_mut_ptr(), told.name.len());
        region.write(told);
    }
    true
}

/// Makes the chip, with this much RAM.
///
/// # Safety
///
/// `model` is from [`mt3620_new`]; `host` points to callbacks that can be called for as long as the model is used.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt3620_make(model: *mut Model, host: *const CallBacks, ram_size: u32) {
    // SAFETY: the caller says so.
    if let (Some(model), Some(host)) = unsafe { (model.as_mut(), host.as_ref()) } {
        model.made = Some((Chip::new(&model.options, ram_size), *host));
    }
}

/// Gives a real-time core what it runs from power-on; false with a reason when that is no firmware.
///
/// # Safety
///
/// As for [`mt3620_make`]; `file` points to `length` bytes and `reason` to `size`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt3620_set_firmware(
    model: *mut Model,
    core: u32,
    file: *const u8,
    length: usize,
    reason: *mut c_char,
    size: usize,
) -> bool {
    // SAFETY: the caller says so.
    let why = unsafe {
        with_core(model, core, |chip, _, core| {
            let file = bytes(file, length).to_vec();
            chip.set_firmware(core, file)
                .err()
                .map(|error| error.to_string())
        })
    };
    if let Some(why) = &why {
        // SAFETY: the caller gives room.
        unsafe { copy_out(why, reason, size) };
    }
    why.is_none()
}

/// Resets the chip.
///
/// # Safety
///
/// As for [`mt3620_make`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt3620_reset(model: *mut Model) {
    // SAFETY: the caller says so.
    unsafe { with_chip(model, |chip, host| chip.reset(host)) }
}

/// Reads a register.
///
/// # Safety
///
/// As for [`mt3620_make`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt3620_read(model: *mut Model, region: usize, offset: u32) -> u32 {
    // SAFETY: the caller says so.
    unsafe { with_chip(model, |chip, host| chip.read(host, region, offset)) }
}

/// Writes a register.
///
/// # Safety
///
/// As for [`mt3620_make`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt3620_write(model: *mut Model, region: usize, offset: u32, value: u32) {
    // SAFETY: the caller says so.
    unsafe { with_chip(model, |chip, host| chip.write(host, region, offset, value)) }
}

/// The timer has run out.
///
/// # Safety
///
/// As for [`mt3620_make`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt3620_tick(model: *mut Model) {
    // SAFETY: the caller says so.
    unsafe { with_chip(model, |chip, host| chip.tick(host)) }
}

/// Somebody outside has said something about pins.
///
/// # Safety
///
/// As for [`mt3620_make`]; `said` points to `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt3620_pins_said(model: *mut Model, said: *const u8, length: usize) {
    // SAFETY: the caller says so.
    unsafe {
        with_chip(model, |chip, host| {
            chip.pins_said(host, bytes(said, length))
        })
    }
}

/// Somebody outside has come or gone.
///
/// # Safety
///
/// As for [`mt3620_make`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt3620_pins_connected(model: *mut Model) {
    // SAFETY: the caller says so.
    unsafe { with_chip(model, |chip, _| chip.pins_connected()) }
}

/// Whether a core is to start, and with which vector table.
///
/// # Safety
///
/// As for [`mt3620_make`]; `vectors` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt3620_wants_start(
    model: *mut Model,
    core: u32,
    vectors: *mut u32,
) -> bool {
    // SAFETY: the caller says so.
    let wanted = unsafe { with_core(model, core, |chip, _, core| chip.wants_start(core)) };
    if let Some(wanted) = wanted {
        // SAFETY: the caller gives room.
        unsafe { vectors.write(wanted) };
    }
    wanted.is_some()
}

/// Whether a core is to stop.
///
/// # Safety
///
/// As for [`mt3620_make`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt3620_wants_stop(model: *mut Model, core: u32) -> bool {
    // SAFETY: the caller says so.
    unsafe { with_core(model, core, |chip, _, core| chip.wants_stop(core)) }
}

/// A core has started.
///
/// # Safety
///
/// As for [`mt3620_make`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt3620_started(model: *mut Model, core: u32) {
    // SAFETY: the caller says so.
    unsafe {
        with_core(model, core, |chip, host, core| {
            chip.core_started(host, core)
        })
    }
}

/// A core has stopped.
///
/// # Safety
///
/// As for [`mt3620_make`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt3620_stopped(model: *mut Model, core: u32) {
    // SAFETY: the caller says so.
    unsafe {
        with_core(model, core, |chip, host, core| {
            chip.core_stopped(host, core)
        })
    }
}

/// A core wants to be reset.
///
/// # Safety
///
/// As for [`mt3620_make`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt3620_reset_requested(model: *mut Model, core: u32) {
    // SAFETY: the caller says so.
    unsafe {
        with_core(model, core, |chip, host, core| {
            chip.core_wants_reset(host, core)
        })
    }
}

/// A core has locked up.
///
/// # Safety
///
/// As for [`mt3620_make`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mt3620_locked_up(model: *mut Model, core: u32) {
    // SAFETY: the caller says so.
    unsafe {
        with_core(model, core, |chip, host, core| {
            chip.core_locked_up(host, core)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_to_what_fits_and_always_ended() {
        let mut room = [0x55; 8];
        // SAFETY: no more than eight bytes are offered.
        unsafe {
            copy_out("a longer text", room.as_mut_ptr().cast(), 4);
            copy_out("none", ptr::null_mut(), 4);
            copy_out("none", room.as_mut_ptr().cast(), 0);
        }
        assert_eq!(&room, b"a l\0\x55\x55\x55\x55");
        assert_eq!(c_text("a\0b"), b"ab\0");
    }

    #[test]
    fn a_model_without_a_chip_does_nothing() {
        let model = mt3620_new();
        // SAFETY: the model is new, and is freed once, at the end.
        unsafe {
            assert_eq!(mt3620_read(model, 0, 0), 0);
            mt3620_reset(model);
            assert!(!mt3620_set_option(
                model,
                c"mbox-layout".as_ptr(),
                c"none".as_ptr(),
                ptr::null_mut(),
                0
            ));
            assert!(mt3620_set_option(
                model,
                c"mbox-layout".as_ptr(),
                c"linux".as_ptr(),
                ptr::null_mut(),
                0
            ));
            assert!(!mt3620_set_option(
                model,
                ptr::null(),
                ptr::null(),
                ptr::null_mut(),
                0
            ));
            drop(Box::from_raw(model));
        }
    }

    #[test]
    fn regions_and_options_end() {
        let mut region = Region {
            name: [0; 32],
            space: 9,
            base: 0,
            size: 0,
        };
        let mut texts = [[0; 128]; 2];
        let [name, meaning] = &mut texts;
        // SAFETY: everything that is written has the size that is told.
        unsafe {
            assert!(mt3620_region(0, &raw mut region));
            assert_eq!((region.space, region.base), (0, 0x3001_0000));
            assert_eq!(CStr::from_ptr(region.name.as_ptr()).to_str(), Ok("pinmux"));
            assert!(!mt3620_region(REGIONS.len(), &raw mut region));
            assert!(mt3620_option(
                0,
                name.as_mut_ptr(),
                meaning.as_mut_ptr(),
                128
            ));
            assert_eq!(CStr::from_ptr(name.as_ptr()).to_str(), Ok("mbox-layout"));
            assert!(!mt3620_option(
                NAMES.len(),
                name.as_mut_ptr(),
                meaning.as_mut_ptr(),
                128
            ));
        }
        assert!(
            NAMES
                .iter()
                .all(|(name, meaning)| name.len() < 128 && meaning.len() < 128)
        );
        assert!(REGIONS.iter().all(|region| region.name.len() < 32));
    }
}
