// SPDX-License-Identifier: GPL-2.0

//! The driver on a fake register block, which keeps what is written and the order of it.
//!
//! Blocks and offsets are written as numbers here, as the hardware reference has them.

use kernel::prelude::*;

#[kunit_tests(nacre_mt3620_pinctrl)]
mod tests {
    use super::*;
    use kernel::{
        c_str,
        device::{
            Bound,
            Device, //
        },
        faux,
        gpio::{
            self,
            Direction,
            Interrupts,
            Level,
            Operations as _,
            Trigger, //
        },
        pinconf::{
            Config,
            Param, //
        },
        pinctrl::{
            self,
            Operations as _, //
        },
        sync::{
            new_raw_spinlock,
            Arc,
            RawSpinLock, //
        },
    };

    use crate::{
        controller::{
            Choices,
            Controller, //
        },
        pins::{
            self,
            Pad, //
        },
        registers::{
            mode_offset,
            Address,
            Alias,
            Bits,
            Block,
            Bus,
            Eint,
            Field,
            Register,
            Spacing, //
        },
    };

    /// How many words each block has.
    const WORDS: usize = 0x610 / 4;

    /// How many writes are kept.
    const KEPT: usize = 16;

    const DEFAULT: Choices = Choices {
        spacing: Spacing::Doubled,
        polarity_low: false,
        eint_needs_mode: false,
        drive_strengths: None,
    };

    struct State {
        words: KVec<u32>,
        writes: [(Block, usize, u32); KEPT],
        written: usize,
        mux_is_closed: bool,
    }

    impl State {
        fn word(&mut self, block: Block, offset: usize) -> &mut u32 {
            &mut self.words[block as usize * WORDS + offset / 4]
        }
    }

    /// Registers that do what the chip's do: aliases set and clear, and ones acknowledge.
    #[pin_data]
    struct Fake {
        #[pin]
        state: RawSpinLock<State>,
    }

    impl Fake {
        fn get(&self, block: Block, offset: usize) -> u32 {
            self.state.with_irqsave(|state| *state.word(block, offset))
        }

        fn set(&self, block: Block, offset: usize, value: u32) {
            self.state
                .with_irqsave(|state| *state.word(block, offset) = value);
        }

        /// The writes since the last call, in their order.
        fn writes(&self) -> ([(Block, usize, u32); KEPT], usize) {
            self.state.with_irqsave(|state| {
                let written = core::mem::take(&mut state.written);
                (state.writes, written)
            })
        }
    }

    impl Bus for Arc<Fake> {
        fn read(&self, _dev: &Device<Bound>, address: Address) -> Result<u32> {
            Ok(self.get(address.block, address.offset))
        }

        fn write(&self, _dev: &Device<Bound>, address: Address, value: u32) -> Result {
            let Address { block, offset } = address;
            self.state.with_irqsave(|state| {
                if let Some(entry) = state.writes.get_mut(state.written) {
                    *entry = (block, offset, value);
                    state.written += 1;
                }
                match block {
                    Block::Pinmux if state.mux_is_closed => {}
                    Block::Cirq if (0x280..0x290).contains(&offset) => {
                        *state.word(block, offset) &= !value;
                    }
                    Block::Pinmux | Block::Cirq => *state.word(block, offset) = value,
                    _ => match offset % 16 {
                        4 if offset > 0x10 => *state.word(block, offset - 4) |= value,
                        8 if offset > 0x10 => *state.word(block, offset - 8) &= !value,
                        _ => *state.word(block, offset) = value,
                    },
                }
            });
            Ok(())
        }

        fn modify(
            &self,
            dev: &Device<Bound>,
            address: Address,
            mask: u32,
            bits: u32,
        ) -> Result<u32> {
            let value = self.read(dev, address)?;
            self.write(dev, address, (value & !mask) | bits)?;
            self.read(dev, address)
        }

        fn modify_mode(&self, dev: &Device<Bound>, pin: u32, mask: u32, bits: u32) -> Result<u32> {
            let address = Address {
                block: Block::Pinmux,
                offset: mode_offset(pin),
            };
            self.modify(dev, address, mask, bits)
        }
    }

    /// A controller with its registers, and a device that does nothing.
    struct Bench {
        controller: Arc<Controller<Arc<Fake>>>,
        fake: Arc<Fake>,
        device: faux::Registration,
    }

    impl Bench {
        fn new(name: &CStr, choices: Choices) -> Result<Self> {
            let state = State {
                words: KVec::from_elem(0, Block::ALL.len() * WORDS, GFP_KERNEL)?,
                writes: [(Block::Pinmux, 0, 0); KEPT],
                written: 0,
                mux_is_closed: false,
            };
            let fake = pin_init!(Fake {
                state <- new_raw_spinlock!(state),
            });
            let fake = Arc::pin_init(fake, GFP_KERNEL)?;
            Ok(Self {
                controller: Arc::pin_init(Controller::new(fake.clone(), choices), GFP_KERNEL)?,
                fake,
                device: faux::Registration::new(name, None)?,
            })
        }

        fn dev(&self) -> &Device<Bound> {
            self.device.as_ref()
        }

        fn set(&self, pin: u32, param: Param, argument: u32) -> Result {
            self.controller
                .config_set(self.dev(), pin, Config::new(param, argument))
        }

        fn get(&self, pin: u32, param: Param) -> Result<u32> {
            self.controller.config_get(self.dev(), pin, param)
        }

        /// Gives a pin the function with this name, if both are in the tables.
        fn mux(&self, function: &str, pin: usize) -> Result {
            let named = |name: &CStr| name.to_bytes() == function.as_bytes();
            let function = pins::FUNCTIONS.iter().find(|it| named(it.name()));
            let group = pins::GROUPS.get(pin).ok_or(EINVAL)?;
            self.controller
                .set_mux(self.dev(), function.ok_or(EINVAL)?, group)
        }
    }

    #[test]
    fn registers_lie_where_the_reference_has_them() {
        use Alias::*;
        use Block::*;
        for (pin, offset) in [(0, 0x20), (7, 0x20), (8, 0x24), (26, 0x2c), (93, 0x4c)] {
            assert_eq!(mode_offset(pin), offset);
        }
        for (register, block, doubled, uniform) in [
            (Register::Input(Group5), Group5, 0x04, 0x04),
            (Register::Input(Adc), Adc, 0x04, 0x04),
            (Register::Input(Isu3), Isu3, 0x0c, 0x0c),
            (Register::Input(I2s1), I2s1, 0x00, 0x00),
            (Register::Input(Unmapped), Unmapped, 0x00, 0x00),
            (Register::Bits(Isu0, Bits::Output, Set), Isu0, 0x14, 0x14),
            (
                Register::Bits(Isu0, Bits::Direction, Clear),
                Isu0,
                0x28,
                0x28,
            ),
            (Register::Bits(Adc, Bits::PullUp, Value), Adc, 0x30, 0x30),
            (Register::Bits(Adc, Bits::PullDown, Set), Adc, 0x44, 0x44),
            (
                Register::Bits(Group0, Bits::SlewRate, Set),
                Group0,
                0x54,
                0x54,
            ),
            (
                Register::Bits(Group0, Bits::InputEnable, Clear),
                Group0,
                0x68,
                0x68,
            ),
            (Register::DriveStrength(Group0), Group0, 0x70, 0x70),
            (
                Register::Bits(Unmapped, Bits::Output, Set),
                Unmapped,
                0x14,
                0x14,
            ),
            (
                Register::Bits(Unmapped, Bits::Direction, Clear),
                Unmapped,
                0x38,
                0x28,
            ),
            (
                Register::Bits(Unmapped, Bits::PullUp, Value),
                Unmapped,
                0x50,
                0x30,
            ),
            (
                Register::Bits(Unmapped, Bits::PullDown, Set),
                Unmapped,
                0x74,
                0x44,
            ),
            (
                Register::Bits(Unmapped, Bits::SlewRate, Value),
                Unmapped,
                0x90,
                0x50,
            ),
            (
                Register::Bits(Unmapped, Bits::InputEnable, Value),
                Unmapped,
                0xb0,
                0x60,
            ),
            (Register::DriveStrength(Unmapped), Unmapped, 0xd0, 0x70),
        ] {
            for (spacing, offset) in [(Spacing::Doubled, doubled), (Spacing::Uniform, uniform)] {
                assert_eq!(register.address(spacing), Address { block, offset });
                assert!(offset + 4 <= block.size());
            }
        }
        assert_eq!(
            (Field::mode(7).put(6), Field::mode(26).put(7)),
            (6 << 28, 7 << 8)
        );
        assert_eq!(Field::mode(93).get(0x0050_0000), 5);
        let strength = Field::drive_strength(4);
        assert_eq!((strength.mask(), strength.put(1)), (0x300, 0x100));
        // What does not fit into it changes no other one.
        assert_eq!(strength.put(u32::MAX), 0x300);
    }

    #[test]
    fn external_interrupts_have_their_bits() {
        // Bit n belongs to the shared interrupt n of the GIC.
        for (pin, word, bit) in [
            (0, 0, 17),
            (3, 0, 20),
            (4, 4, 29),
            (6, 4, 31),
            (7, 8, 0),
            (23, 8, 16),
        ] {
            let Some(eint) = Eint::of(pin) else {
                panic!("pin {pin} has no interrupt");
            };
            assert_eq!(eint.bit(), 1 << bit);
            for (register, base) in [
                (Register::Sense(eint), 0x200),
                (Register::EdgeToLevel(eint), 0x240),
                (Register::Pending(eint), 0x280),
                (Register::Disable(eint), 0x600),
            ] {
                let offset = base + word;
                let block = Block::Cirq;
                assert_eq!(
                    register.address(Spacing::Doubled),
                    Address { block, offset }
                );
                assert!(offset + 4 <= block.size());
            }
            let own = Register::Eint(eint).address(Spacing::Doubled);
            assert_eq!(own.offset, pin as usize * 4);
        }
        assert!(Eint::of(24).is_none());
        assert!(!Controller::<Arc<Fake>>::can_interrupt(24));
        assert!(Controller::<Arc<Fake>>::can_interrupt(23));
    }

    #[test]
    fn each_pin_has_its_own_bit() {
        for (pin, block, bit) in [
            (0, Block::Group0, 0),
            (23, Block::Group5, 3),
            (24, Block::Unmapped, 0),
            (26, Block::Isu0, 0),
            (40, Block::Isu2, 4),
            (48, Block::Adc, 7),
            (49, Block::Unmapped, 2),
            (55, Block::Unmapped, 8),
            (56, Block::I2s0, 0),
            (65, Block::I2s1, 4),
            (66, Block::Isu3, 0),
            (80, Block::Isu5, 4),
            (81, Block::Unmapped, 9),
            (93, Block::Unmapped, 21),
        ] {
            assert!(matches!(Pad::of(pin), Ok(pad) if pad == Pad { block, bit }));
        }
        let all = u32::from(pins::COUNT);
        for pin in 0..all {
            let pad = Pad::of(pin);
            assert!(pad.is_ok());
            assert!((0..pin).all(|other| Pad::of(other) != pad));
            let index = pin as usize;
            assert_eq!(pins::PINS[index].number(), pin);
            assert_eq!(pins::GROUPS[index].pins(), [pin]);
            assert_eq!(
                pins::GROUPS[index].name().to_bytes(),
                pins::PINS[index].name().to_bytes()
            );
        }
        assert!(matches!(Pad::of(all), Err(error) if error == EINVAL));
        assert_eq!(
            (pins::PINS.len(), pins::GROUPS.len()),
            (all as usize, all as usize)
        );
    }

    #[test]
    fn binding_stops_interrupts_and_takes_the_pulls() -> Result {
        let bench = Bench::new(c_str!("mt3620_kunit_a"), DEFAULT)?;
        bench.fake.set(Block::Cirq, 0x600, 1);
        bench.fake.set(Block::Cirq, 0x284, u32::MAX);
        bench.fake.set(Block::Group3, 0x30, 2);
        bench.controller.reset(bench.dev())?;
        assert_eq!(bench.fake.get(Block::Cirq, 0x600), 0x001e_0001);
        assert_eq!(bench.fake.get(Block::Cirq, 0x604), 0xe000_0000);
        assert_eq!(bench.fake.get(Block::Cirq, 0x608), 0x0001_ffff);
        assert_eq!(bench.fake.get(Block::Cirq, 0x284), 0x1fff_ffff);
        for block in Block::GROUPS {
            assert_eq!(bench.fake.get(block, 0x40), 1 << 31);
        }
        // A pull that was on stays on.
        assert_eq!(bench.fake.get(Block::Group3, 0x30), 1 << 31 | 2);
        assert_eq!(bench.fake.get(Block::Adc, 0x30), 0);
        Ok(())
    }

    #[test]
    fn a_function_changes_its_pin_only() -> Result {
        let bench = Bench::new(c_str!("mt3620_kunit_b"), DEFAULT)?;
        bench.fake.set(Block::Pinmux, 0x20, 0x7777_7777);
        bench.mux("pwm", 3)?;
        assert_eq!(bench.fake.get(Block::Pinmux, 0x20), 0x7777_1777);
        bench.controller.gpio_request_enable(bench.dev(), 3)?;
        assert_eq!(bench.fake.get(Block::Pinmux, 0x20), 0x7777_0777);
        bench.mux("eint", 23)?;
        bench.mux("counter", 16)?;
        assert_eq!(bench.fake.get(Block::Pinmux, 0x28), 0x5000_0006);
        bench.mux("mode7", 93)?;
        assert_eq!(bench.fake.get(Block::Pinmux, 0x4c), 0x0070_0000);
        assert!(matches!(bench.mux("mode8", 93), Err(error) if error == EINVAL));
        Ok(())
    }

    #[test]
    fn a_multiplexer_that_is_closed_is_an_error() -> Result {
        let bench = Bench::new(c_str!("mt3620_kunit_c"), DEFAULT)?;
        bench.fake.set(Block::Pinmux, 0x20, 0x10);
        bench
            .fake
            .state
            .with_irqsave(|state| state.mux_is_closed = true);
        assert!(matches!(bench.mux("pwm", 0), Err(error) if error == EACCES));
        let refused = bench.controller.gpio_request_enable(bench.dev(), 1);
        assert!(matches!(refused, Err(error) if error == EACCES));
        // What is right already needs no write to stick.
        bench.mux("pwm", 1)?;
        bench.controller.gpio_request_enable(bench.dev(), 0)?;
        Ok(())
    }

    #[test]
    fn an_output_has_its_level_from_the_start() -> Result {
        let bench = Bench::new(c_str!("mt3620_kunit_d"), DEFAULT)?;
        let (controller, dev) = (&bench.controller, bench.dev());
        controller.direction_output(dev, 28, Level::High)?;
        let (writes, count) = bench.fake.writes();
        assert_eq!(
            writes[..count],
            [
                (Block::Isu0, 0x14, 4),
                (Block::Isu0, 0x68, 4),
                (Block::Isu0, 0x24, 4)
            ]
        );
        assert_eq!(controller.get_direction(dev, 28)?, Direction::Output);
        assert_eq!(controller.get_direction(dev, 27)?, Direction::Input);
        // Its input is off, so the level is the one that is driven.
        assert_eq!(gpio::Operations::get(&**controller, dev, 28)?, Level::High);
        gpio::Operations::set(&**controller, dev, 28, Level::Low)?;
        assert_eq!(gpio::Operations::get(&**controller, dev, 28)?, Level::Low);

        bench.fake.writes();
        controller.direction_input(dev, 28)?;
        let (writes, count) = bench.fake.writes();
        assert_eq!(
            writes[..count],
            [(Block::Isu0, 0x28, 4), (Block::Isu0, 0x64, 4)]
        );
        bench.fake.set(Block::Isu0, 0x0c, 4);
        assert_eq!(gpio::Operations::get(&**controller, dev, 28)?, Level::High);
        assert_eq!(gpio::Operations::get(&**controller, dev, 29)?, Level::Low);
        // The chip has no such pin.
        assert!(controller.direction_input(dev, 94).is_err());
        assert!(gpio::Operations::get(&**controller, dev, 94).is_err());
        Ok(())
    }

    #[test]
    fn the_unmapped_block_is_spaced_as_the_device_tree_says() -> Result {
        for (name, spacing, direction, enable) in [
            (c_str!("mt3620_kunit_e"), Spacing::Doubled, 0x30, 0xb0),
            (c_str!("mt3620_kunit_f"), Spacing::Uniform, 0x20, 0x60),
        ] {
            let bench = Bench::new(name, Choices { spacing, ..DEFAULT })?;
            bench.fake.set(Block::Unmapped, enable, u32::MAX);
            bench
                .controller
                .direction_output(bench.dev(), 81, Level::High)?;
            assert_eq!(bench.fake.get(Block::Unmapped, 0x10), 1 << 9);
            assert_eq!(bench.fake.get(Block::Unmapped, direction), 1 << 9);
            assert_eq!(bench.fake.get(Block::Unmapped, enable), !(1 << 9));
        }
        Ok(())
    }

    #[test]
    fn never_are_both_pulls_on() -> Result {
        let bench = Bench::new(c_str!("mt3620_kunit_g"), DEFAULT)?;
        let (up, down) = (0x30, 0x40);
        assert_eq!(bench.get(42, Param::BIAS_DISABLE)?, 1);
        bench.set(42, Param::BIAS_PULL_UP, 1)?;
        assert_eq!(bench.fake.get(Block::Adc, up), 2);
        assert_eq!(bench.get(42, Param::BIAS_PULL_UP)?, 1);
        assert!(matches!(bench.get(42, Param::BIAS_DISABLE), Err(error) if error == EINVAL));

        bench.fake.writes();
        bench.set(42, Param::BIAS_PULL_DOWN, 1)?;
        let (writes, count) = bench.fake.writes();
        assert_eq!(
            writes[..count],
            [
                (Block::Adc, up + 8, 2),
                (Block::Adc, down + 8, 2),
                (Block::Adc, down + 4, 2)
            ]
        );
        assert_eq!(
            (
                bench.fake.get(Block::Adc, up),
                bench.fake.get(Block::Adc, down)
            ),
            (0, 2)
        );
        bench.set(42, Param::BIAS_DISABLE, 0)?;
        assert_eq!(bench.fake.get(Block::Adc, down), 0);
        // A pull of no strength is no pull; it has another name.
        assert!(matches!(bench.set(42, Param::BIAS_PULL_UP, 0), Err(error) if error == EINVAL));
        Ok(())
    }

    #[test]
    fn settings_that_the_chip_has() -> Result {
        let bench = Bench::new(c_str!("mt3620_kunit_h"), DEFAULT)?;
        bench.set(58, Param::SLEW_RATE, 1)?;
        assert_eq!(bench.fake.get(Block::I2s0, 0x50), 4);
        assert_eq!(
            (
                bench.get(58, Param::SLEW_RATE)?,
                bench.get(59, Param::SLEW_RATE)?
            ),
            (1, 0)
        );
        assert!(matches!(bench.set(58, Param::SLEW_RATE, 2), Err(error) if error == EINVAL));

        bench.set(58, Param::INPUT_ENABLE, 1)?;
        assert_eq!(
            (
                bench.fake.get(Block::I2s0, 0x60),
                bench.get(58, Param::INPUT_ENABLE)?
            ),
            (4, 1)
        );
        bench.set(58, Param::INPUT_ENABLE, 0)?;
        assert!(matches!(bench.get(58, Param::INPUT_ENABLE), Err(error) if error == EINVAL));

        bench.set(58, Param::LEVEL, 1)?;
        assert_eq!(
            (
                bench.fake.get(Block::I2s0, 0x10),
                bench.fake.get(Block::I2s0, 0x20)
            ),
            (4, 4)
        );
        assert_eq!(bench.get(58, Param::LEVEL)?, 1);

        for param in [
            Param::DRIVE_OPEN_DRAIN,
            Param::INPUT_DEBOUNCE,
            Param::PERSIST_STATE,
        ] {
            assert!(matches!(bench.set(58, param, 1), Err(error) if error == ENOTSUPP));
            assert!(matches!(bench.get(58, param), Err(error) if error == ENOTSUPP));
        }
        assert!(matches!(bench.set(94, Param::SLEW_RATE, 1), Err(error) if error == EINVAL));
        Ok(())
    }

    #[test]
    fn currents_are_those_of_the_device_tree() -> Result {
        let unknown = Bench::new(c_str!("mt3620_kunit_i"), DEFAULT)?;
        let refused = unknown.set(12, Param::DRIVE_STRENGTH, 8);
        assert!(matches!(refused, Err(error) if error == ENOTSUPP));
        assert!(unknown.get(12, Param::DRIVE_STRENGTH).is_err());

        let drive_strengths = Some([4, 8, 12, 16]);
        let choices = Choices {
            drive_strengths,
            ..DEFAULT
        };
        let bench = Bench::new(c_str!("mt3620_kunit_j"), choices)?;
        bench.fake.set(Block::Group3, 0x70, 0xff);
        bench.set(13, Param::DRIVE_STRENGTH, 8)?;
        assert_eq!(bench.fake.get(Block::Group3, 0x70), 0xf7);
        assert_eq!(bench.get(13, Param::DRIVE_STRENGTH)?, 8);
        assert_eq!(bench.get(12, Param::DRIVE_STRENGTH)?, 16);
        let refused = bench.set(13, Param::DRIVE_STRENGTH, 6);
        assert!(matches!(refused, Err(error) if error == EINVAL));
        assert_eq!(bench.fake.get(Block::Group3, 0x70), 0xf7);
        Ok(())
    }

    #[test]
    fn triggers_are_polarity_and_sense() -> Result {
        // Bits of the polarity and of both edges, and whether it follows the level.
        let triggers = [
            (Trigger::RisingEdge, 0x100, false),
            (Trigger::FallingEdge, 0, false),
            (Trigger::BothEdges, 0x80, false),
            (Trigger::HighLevel, 0x100, true),
            (Trigger::LowLevel, 0, true),
        ];
        for (name, polarity_low) in [
            (c_str!("mt3620_kunit_k"), false),
            (c_str!("mt3620_kunit_l"), true),
        ] {
            let bench = Bench::new(
                name,
                Choices {
                    polarity_low,
                    ..DEFAULT
                },
            )?;
            // The filter of the pin, and what belongs to others.
            bench.fake.set(Block::Cirq, 4 * 5, 0x27f);
            bench.fake.set(Block::Cirq, 0x204, 0x1fff_ffff);
            for (trigger, bits, level) in triggers {
                bench.fake.set(Block::Cirq, 0x284, u32::MAX);
                bench.controller.irq_set_type(bench.dev(), 5, trigger)?;
                let flip = polarity_low && trigger != Trigger::BothEdges;
                let wanted = 0x27f | if flip { bits ^ 0x100 } else { bits };
                assert_eq!(bench.fake.get(Block::Cirq, 4 * 5), wanted);
                let own = 1 << 30;
                let (sense, convert) = if level { (own, 0) } else { (0, own) };
                assert_eq!(bench.fake.get(Block::Cirq, 0x204), 0x1fff_ffff | sense);
                assert_eq!(bench.fake.get(Block::Cirq, 0x244), convert);
                // An edge of before is not one of now, and others keep theirs.
                assert_eq!(bench.fake.get(Block::Cirq, 0x284), !own);
            }
            let refused = bench
                .controller
                .irq_set_type(bench.dev(), 24, Trigger::HighLevel);
            assert!(matches!(refused, Err(error) if error == ENXIO));
        }
        Ok(())
    }

    #[test]
    fn an_interrupt_has_its_mode_where_it_needs_one() -> Result {
        for (name, eint_needs_mode, mode) in [
            (c_str!("mt3620_kunit_o"), false, 0),
            (c_str!("mt3620_kunit_p"), true, 5 << 16),
        ] {
            let bench = Bench::new(
                name,
                Choices {
                    eint_needs_mode,
                    ..DEFAULT
                },
            )?;
            let (controller, dev) = (&bench.controller, bench.dev());
            controller.gpio_request_enable(dev, 12)?;
            controller.irq_set_type(dev, 12, Trigger::FallingEdge)?;
            assert_eq!(bench.fake.get(Block::Pinmux, 0x24), mode);
            // What is driven is a line again.
            controller.direction_output(dev, 12, Level::High)?;
            assert_eq!(bench.fake.get(Block::Pinmux, 0x24), 0);
        }
        Ok(())
    }

    #[test]
    fn interrupts_are_stopped_one_by_one() -> Result {
        let bench = Bench::new(c_str!("mt3620_kunit_m"), DEFAULT)?;
        bench.controller.reset(bench.dev())?;
        bench.controller.irq_unmask(bench.dev(), 7);
        assert_eq!(bench.fake.get(Block::Cirq, 0x608), 0x0001_fffe);
        bench.controller.irq_mask(bench.dev(), 7);
        assert_eq!(bench.fake.get(Block::Cirq, 0x608), 0x0001_ffff);
        bench.fake.set(Block::Cirq, 0x288, 3);
        bench.controller.irq_ack(bench.dev(), 7);
        assert_eq!(bench.fake.get(Block::Cirq, 0x288), 2);
        Ok(())
    }

    #[test]
    fn the_subsystems_take_the_controller() -> Result {
        let bench = Bench::new(c_str!("mt3620_kunit_n"), DEFAULT)?;
        let dev = bench.dev();
        let _pinctrl = KBox::pin_init(
            pinctrl::Registration::new(dev, &crate::THIS_MODULE, bench.controller.clone()),
            GFP_KERNEL,
        )?;
        let chip = KBox::pin_init(
            gpio::Registration::with_interrupts(dev, &crate::THIS_MODULE, bench.controller.clone()),
            GFP_KERNEL,
        )?;

        // The line comes from both: it is multiplexed, and nobody else gets it.
        bench.mux("pwm", 2)?;
        let led = chip.request_own(dev, 2, c_str!("led"))?;
        assert_eq!(bench.fake.get(Block::Pinmux, 0x20), 0);
        led.direction_output(Level::High)?;
        assert_eq!(bench.fake.get(Block::Group0, 0x10), 4);
        let again = chip.request_own(dev, 2, c_str!("again"));
        assert!(matches!(again, Err(error) if error == EBUSY));
        drop(led);
        let led = chip.request_own(dev, 2, c_str!("again"))?;
        led.set_config(Config::new(Param::BIAS_PULL_UP, 1))?;
        assert_eq!(bench.fake.get(Block::Group0, 0x30), 4);

        // Nobody waits for an interrupt.
        assert!(chip.handle_irq(dev, 2).is_err());
        // There is no line 94.
        assert!(chip.request_own(dev, 94, c_str!("none")).is_err());
        Ok(())
    }
}
