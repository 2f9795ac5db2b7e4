// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 OR MIT

//! The protocol between the high-level core and a real-time core of the MT3620.
//!
//! The high-level core owns two buffers, tells the other core by three mailbox entries where they are
//! ([`Buffers::entries`], [`Setup`]), and from then on each core writes messages into one ring and reads them from
//! the other ([`Channel`]), ringing the other core's doorbell ([`Doorbells`]). Both cores run this source: one in
//! the kernel, the other under real-time apps.
//!
//! Who may exchange messages with a real-time app is decided at each call ([`Endpoint`]), by both manifests
//! ([`Partners`] is the real-time app's part), and [`Cores`] knows what runs. What waits for a socket is bounded by the
//! kernel's own account, its receive buffer.
//!
//! It trusts nothing in the shared memory: a word is read once into private memory, checked, and used from
//! there. What no correct core does halts the channel with a [`Fault`]; nothing panics, and nothing waits.
//!
//! ```
//! use core::sync::atomic::AtomicU32;
//! use intercore::{Channel, Next, Side, MAX_PAYLOAD};
//!
//! let id = "25025d2c-66da-4448-bae1-ac26fcdd3627".parse().unwrap();
//! let [one, other] = [0; 2].map(|_| (0..1024).map(|_| AtomicU32::new(0)).collect::<Vec<_>>());
//! let mut high_level = Channel::new(Side::HighLevel, &one[..], &other[..]).unwrap();
//! let mut real_time = Channel::new(Side::RealTime, &other[..], &one[..]).unwrap();
//!
//! let ring = high_level.send(id, b"hello").unwrap();
//! assert_eq!(ring.bits(), 2);
//! let Ok(Some(Next::Message(message))) = real_time.receive() else { panic!() };
//! assert_eq!(message.component(), id);
//! assert_eq!(message.read(&mut [0; MAX_PAYLOAD]), b"hello");
//! ```
//!
//! # Choices
//!
//! Where the sources of the original disagree or are silent:
//!
//! | about | choice |
//! |---|---|
//! | a payload of 1025 to 1040 bytes, which some libraries for real-time cores send | that message is dropped |
//! | a block longer than any library sends, or shorter than its header | the channel halts |
//! | a position that goes backwards | the channel halts |
//! | the reserved word | zero when sent, ignored when received |
//! | order of the two buffers in the setup, unknown entries | any; ignored |
//! | a send without room | fails and leaves nothing behind; the other core's doorbell says when to try again |
//! | a message for a socket whose receive buffer is full | stays in the ring, and holds up its own core only |
//! | a message that waits for a socket when its core stops | is lost with the run that it belongs to |
//! | the stop entry | is not posted: the core is stopped, and a stale entry would be read by the next app |
//! | the system's id, all zero, which may send to anyone | there is none |
//! | the size of a buffer | a power of two from 128 to 65536; the kernel uses 4096 |
//!
//! # Weaknesses of the original
//!
//! What went wrong on its channels, by its row in the project's list, and the test that shows that it cannot here. Those
//! of `kernel` are in `modules/intercore/kunit.rs`, those of `machine` in `tests/intercore`; where a row is also of the
//! machine, its test there has the row in its name, too:
//!
//! | row | what it was | test |
//! |---|---|---|
//! | P40 | a send that failed freed a buffer by the wrong function | `tables::faults::p40_sends_to_a_halted_channel_return_its_reason`, `kernel::p40_a_core_that_breaks_the_protocol_is_halted_alone` |
//! | S50 | a socket of any protocol, for anybody, with the rights of whoever made it | `tables::sockets::s50_only_datagrams_of_protocol_0_and_only_for_apps`, `tables::sockets::s50_a_socket_that_another_process_inherits_is_of_no_use_to_it` |
//! | S51 | frames shorter than their header | `tables::faults::s51_a_frame_shorter_than_its_header_halts_the_channel` |
//! | S52 | kernel memory in the reserved word | `tables::messages::s52_no_stale_word_gets_out` |
//! | S53 | a slow receiver stops all cores | `tables::messages::s53_a_message_left_in_one_ring_stops_no_other_channel`, `kernel::s53_a_slow_socket_stops_its_own_core_at_most` |
//! | S54 | queues without an end | `kernel::s54_what_waits_has_an_end`, `machine::s53_s54_who_does_not_read_stops_his_own_core` |
//! | S55 | an endpoint that is used after it has gone | `tables::sockets::s55_a_core_that_stops_is_gone_for_all_who_hold_a_ticket`, `kernel::s55_a_run_that_is_over_is_of_no_use` |
//! | S56 | a core that is still found while it stops | `tables::sockets::s56_a_ticket_for_an_earlier_run_is_void` |
//! | S57 | a list of pairs that grows | `tables::sockets::s57_partners_are_a_set_with_an_end` |
//! | S58 | no identity is the system's | `tables::sockets::s58_no_identity_is_not_the_system`, `machine::s58_nobody_is_an_app` |
//! | S59 | a timer repeats what had no room | `tables::messages::s59_a_message_without_room_leaves_nothing_to_repeat` |
//! | S60 | positions read anew for each part of a record | `tables::faults::s60_positions_are_read_once_a_record`, `tables::faults::s60_a_position_that_goes_backwards_halts_the_channel` |
//! | S61 | a record of which a part is not there | `tables::faults::s61_a_frame_that_is_not_all_there_halts_the_channel` |
//! | S62 | stale data with a command | `tables::setup::s62_every_entry_carries_its_data` |
//! | S63 | silence taken for success, and a panic on failure | `tables::setup::s63_silence_is_neither_an_error_nor_an_answer` |
#![no_std]
#![forbid(unsafe_code)]

mod area;
mod channel;
mod cores;
mod doorbell;
mod error;
mod frame;
mod memory;
mod partners;
mod setup;
mod socket;

pub use channel::{Channel, Message, Next};
pub use cores::{CORES, Cores, StartError, Ticket};
pub use doorbell::{Doorbells, Side};
pub use error::{BufferError, Fault, Index, SendError};
pub use frame::MAX_PAYLOAD;
pub use memory::SharedMemory;
pub use partners::{Partners, PartnersError};
pub use setup::{Buffers, Command, Descriptor, Entry, Progress, Setup, SetupError};
pub use socket::{Address, Endpoint, FAMILY, SocketError};
