// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Identities, rule sets and writes that nobody meant, for a while; the kernel must answer each and stay as it is.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

use crate::stage::{self, APPS, PLAIN, PROGRAM, SECURITY, Stage, open};
use crate::sys::{self, Arg, Attempt, call};
use crate::wire::{self, Address, Rules, put};

/// A generator of numbers that are the same for the same seed: xorshift.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        if bound == 0 {
            0
        } else {
            (self.next() % bound as u64) as usize
        }
    }

    fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.next() as u8).collect()
    }

    fn choose<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        // The slices given are never empty.
        &from[self.below(from.len())]
    }
}

/// Changes bytes as an attacker would: a bit, a byte, a run, the length, a number at its limits.
fn mutate(chance: &mut Chance, bytes: &mut Vec<u8>) {
    for _ in 0..=chance.below(4) {
        let place = chance.below(bytes.len());
        match chance.below(8) {
            0 => bytes.truncate(place),
            1 => {
                let more = chance.below(200);
                bytes.extend(chance.bytes(more));
            }
            2 => {
                let bit = 1 << chance.below(8);
                if let Some(byte) = bytes.get_mut(place) {
                    *byte ^= bit;
                }
            }
            3 => put(bytes, place, &[0xff; 4]),
            4 => put(bytes, place, &[0; 4]),
            5 => {
                let length = 1 + chance.below(16);
                let run = chance.bytes(length);
                put(bytes, place, &run);
            }
            6 => put(bytes, place & !1, &[0, 0x80]),
            _ => {
                let from = chance.below(bytes.len());
                let run: Vec<u8> = bytes.iter().skip(from).take(24).copied().collect();
                put(bytes, place, &run);
            }
        }
    }
}

/// Rules as a manifest could have them.
fn rules(chance: &mut Chance) -> Vec<u8> {
    let ports = |chance: &mut Chance| {
        let mut ports: Vec<u16> = (0..chance.below(70))
            .map(|_| 1 + chance.below(65535) as u16)
            .collect();
        ports.sort_unstable();
        ports.dedup();
        ports
    };
    let (tcp, udp) = (ports(chance), ports(chance));
    let peers: Vec<wire::Component> = (0..chance.below(66))
        .map(|_| [chance.next() as u8 | 1; 16])
        .collect();
    let addresses: Vec<Address> = (0..chance.below(130))
        .map(|_| {
            Address::v4(
                [
                    10,
                    chance.next() as u8,
                    chance.next() as u8,
                    chance.next() as u8,
                ],
                32,
                1 + chance.below(3) as u8,
                chance.next() as u16,
            )
        })
        .collect();
    let component = if chance.one_in(3) {
        [chance.next() as u8; 16]
    } else {
        chance.choose(APPS).identity.component
    };
    let head = Rules {
        capabilities: chance.next() as u32 & 0x1fff_ffff,
        ..Rules::NONE
    }
    .encode(&component);
    let mut bytes = head;
    for (offset, count) in [
        (32, tcp.len()),
        (34, udp.len()),
        (36, peers.len()),
        (38, addresses.len()),
    ] {
        put(&mut bytes, offset, &(count as u16).to_le_bytes());
    }
    bytes.extend(tcp.iter().chain(&udp).flat_map(|port| port.to_le_bytes()));
    bytes.extend(peers.iter().flatten());
    bytes.extend(addresses.iter().flat_map(Address::encode));
    let length = (bytes.len() as u32).to_le_bytes();
    put(&mut bytes, 4, &length);
    bytes
}

/// One attempt; what it is answered does not matter. The count of those that were taken is told at the end.
fn attempt(chance: &mut Chance, stage: &Stage) -> Attempt {
    match chance.below(12) {
        0..=2 => {
            let mut bytes = chance.choose(APPS).identity.encode().to_vec();
            mutate(chance, &mut bytes);
            let attribute = *chance.choose(&[100, 101, 101, 101, 102, 104, 105, -1]);
            let flags = if chance.one_in(10) {
                chance.next() as i64
            } else {
                0
            };
            // In a child, because this process shall stay the manager.
            sys::in_child(|| {
                wire::set_attribute(attribute, wire::LSM_ID, &bytes, flags)?;
                let _own = wire::get_attribute(wire::ATTR_EXEC)?;
                let again = wire::set_next(&bytes);
                if again.is_ok() { Err(254) } else { Ok(()) }
            })
        }
        3 => {
            // The structure around the value, mutated too.
            let mut context = Vec::new();
            let value = PLAIN.identity.encode();
            for word in [wire::LSM_ID, 0, 32 + value.len() as u64, value.len() as u64] {
                context.extend(word.to_le_bytes());
            }
            context.extend(value);
            mutate(chance, &mut context);
            let size = if chance.one_in(4) {
                chance.below(context.len() + 1)
            } else {
                context.len()
            };
            sys::in_child(|| {
                call(
                    460,
                    [
                        Arg::Int(101),
                        Arg::In(&context),
                        Arg::Int(size as i64),
                        Arg::Int(0),
                    ],
                )
                .map(drop)
            })
        }
        4..=7 => {
            let mut bytes = rules(chance);
            if !chance.one_in(4) {
                mutate(chance, &mut bytes);
            }
            stage::tell("rules", &bytes)
        }
        8 => {
            let length = chance.below(40);
            let mut bytes = if chance.one_in(2) {
                chance.bytes(length)
            } else {
                [chance.next() as u8; 16].to_vec()
            };
            if bytes.len() == 16
                && APPS
                    .iter()
                    .any(|app| app.identity.component.as_slice() == bytes)
            {
                bytes.push(0);
            }
            stage::tell("remove", &bytes)
        }
        9 => {
            let root = open(
                chance.choose(&[
                    "/mnt/own",
                    "/mnt/other",
                    "/tmp",
                    "/",
                    "/dev/null",
                    "/proc/self/status",
                ]),
                libc::O_RDONLY,
            )?;
            let mut bytes = wire::verified(&root, &chance.choose(APPS).identity.component);
            mutate(chance, &mut bytes);
            stage::tell("verified", &bytes)
        }
        10 => {
            let file = chance.choose(&[
                "rules",
                "remove",
                "verified",
                "development",
                "denials",
                "abi",
            ]);
            let file = File::from(open(&format!("{SECURITY}/{file}"), libc::O_RDWR)?);
            let length = chance.below(5000);
            let bytes = chance.bytes(length);
            let offset = if chance.one_in(2) {
                0
            } else {
                chance.next() >> 1
            };
            let mut buffer = vec![0; chance.below(5000)];
            let _read = file.read_at(&mut buffer, offset);
            file.write_at(&bytes, offset)
                .map(drop)
                .map_err(|error| sys::number(&error))
        }
        _ => {
            // An app, so that what was installed is used.
            let app = *chance.choose(APPS);
            stage.have(
                app,
                chance.choose(&[
                    "be-refused-often",
                    "nothing",
                    "rich",
                    "chroot",
                    "send-to-the-listed-port",
                ]),
            )
        }
    }
}

/// Tries for as many seconds, and tells the seed, the number of attempts and how many were taken.
pub fn run(words: &[String]) -> Result<u32, String> {
    let number = |index: usize| words.get(index).and_then(|word| word.parse::<u64>().ok());
    let (Some(seconds), Some(seed)) = (number(0), number(1)) else {
        return Err("fuzz SECONDS SEED".to_owned());
    };
    let stage = Stage::new(true, "");
    let servers = stage::prepare(&stage, false)
        .map_err(|number| format!("the machine cannot be made: error {number}"))?;
    println!("# fuzz: {seconds} s, seed {seed}");
    // Zero is the one state from which the generator does not move.
    let mut chance = Chance(seed | 1 << 63);
    let end = Instant::now() + Duration::from_secs(seconds);
    let (mut attempts, mut taken, mut wrong) = (0_u64, 0_u64, 0_u32);
    let mut told = Instant::now();
    while Instant::now() < end {
        match attempt(&mut chance, &stage) {
            Ok(()) => taken += 1,
            // A second identity was taken where only one may be.
            Err(254) => wrong += 1,
            Err(_) => {}
        }
        attempts += 1;
        if told.elapsed() > Duration::from_secs(30) {
            told = Instant::now();
            println!("# fuzz: {attempts} attempts, {taken} taken");
        }
    }
    // The manager is still that, and the machine still works.
    let mut failed = wrong;
    for app in APPS {
        failed += u32::from(stage::install(app).is_err());
    }
    failed += u32::from(stage.have(&stage::RICH, "rich").is_err());
    let program = sys::wait(
        sys::spawn(|| sys::execute(PROGRAM, &["lsm-tests", "case", "none"]))
            .map_err(|number| number.to_string())?,
    );
    failed += u32::from(program != Ok(sys::Ended::Code(254)));
    println!("# fuzz: {attempts} attempts, {taken} taken, seed {seed}");
    drop(servers);
    Ok(failed)
}
