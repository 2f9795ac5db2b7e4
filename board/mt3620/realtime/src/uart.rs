// SPDX-License-Identifier: Apache-2.0 OR MIT

//! The debug UART of a real-time core.

use core::fmt;

use crate::mmio::Block;

/// Registers of an 8250, each in a word.
const DATA: usize = 0x00;
const DIVISOR_HIGH: usize = 0x04;
const FIFO_CONTROL: usize = 0x08;
const LINE_CONTROL: usize = 0x0C;
const LINE_STATUS: usize = 0x14;
/// Registers of this chip: how a bit is sampled.
const RATE: usize = 0x24;
const SAMPLE_COUNT: usize = 0x28;
const SAMPLE_POINT: usize = 0x2C;

/// The transmitter takes another byte.
const READY: u32 = 1 << 5;

/// A line of 8 bits without parity, and the bit that shows the divisor.
const EIGHT_BITS: u32 = 3;
const SHOW_DIVISOR: u32 = 1 << 7;

/// Periods of the 26 MHz clock in a bit at 115200 baud.
const PERIODS: u32 = 226;

/// How often the transmitter is asked; at 115200 baud a byte takes 90 microseconds.
const PATIENCE: u32 = 100_000;

/// The log of the app: what is written to it leaves by the debug UART, at 115200 baud.
pub struct Log {
    registers: Block,
}

impl Log {
    pub(crate) fn new(mut registers: Block) -> Self {
        registers.write(LINE_CONTROL, SHOW_DIVISOR | EIGHT_BITS);
        registers.write(DATA, 1);
        registers.write(DIVISOR_HIGH, 0);
        registers.write(LINE_CONTROL, EIGHT_BITS);
        // Not sixteen periods a bit, but as many as are counted here.
        registers.write(RATE, 3);
        registers.write(SAMPLE_COUNT, PERIODS - 1);
        registers.write(SAMPLE_POINT, PERIODS / 2 - 1);
        registers.write(FIFO_CONTROL, 1);
        Self { registers }
    }

    fn put(&mut self, byte: u8) {
        // A log that nobody reads does not stop the app.
        for _ in 0..PATIENCE {
            if self.registers.read(LINE_STATUS) & READY != 0 {
                break;
            }
        }
        self.registers.write(DATA, u32::from(byte));
    }
}

impl fmt::Write for Log {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            if byte == b'\n' {
                self.put(b'\r');
            }
            self.put(byte);
        }
        Ok(())
    }
}
