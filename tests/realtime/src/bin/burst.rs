// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Sends a stream of messages as fast as it can, and checks the one that it gets meanwhile.
//!
//! A request has a count and a seed, 32 bits each. The stream of the app has the seed, that of the high-level core
//! the seed plus one. When both have had their count, the app sends a report: the messages sent, received, and those
//! that were not what they had to be.
#![no_std]
#![no_main]

use core::fmt::Write as _;

use realtime::{Buffer, ComponentId, Core, MAX_PAYLOAD, SendError};
use realtime_tests::{Stream, answer, number, serve};

realtime::main!(main);

struct Run {
    peer: ComponentId,
    count: u32,
    ours: Stream,
    theirs: Stream,
    wrong: u32,
}

fn main(mut core: Core) -> ! {
    _ = writeln!(core.log, "burst: started");
    let mut buffer = Buffer::new();
    let mut out = [0; MAX_PAYLOAD];
    let mut run: Option<Run> = None;
    loop {
        core.wait();
        if serve(&mut core) {
            run = None;
        }
        while let Ok(Some((sender, message))) = core.intercore.receive(&mut buffer) {
            if let Some(run) = &mut run {
                run.wrong += u32::from(sender != run.peer || !run.theirs.is(message));
                run.theirs.advance();
            } else {
                run = begin(sender, message);
            }
            // In between, so that both directions are always under way.
            go_on(&mut core, &mut run, &mut out);
        }
        go_on(&mut core, &mut run, &mut out);
    }
}

fn begin(peer: ComponentId, mut request: &[u8]) -> Option<Run> {
    let count = number(&mut request)?;
    let seed = number(&mut request)?;
    Some(Run {
        peer,
        count,
        ours: Stream::new(seed),
        theirs: Stream::new(seed.wrapping_add(1)),
        wrong: 0,
    })
}

/// Sends what there is room for, and the report at the end.
fn go_on(core: &mut Core, run: &mut Option<Run>, out: &mut [u8; MAX_PAYLOAD]) {
    let Some(now) = run else {
        return;
    };
    while now.ours.number < now.count {
        match core.intercore.send(now.peer, now.ours.fill(out)) {
            Ok(()) => now.ours.advance(),
            Err(SendError::Full) => return,
            Err(error) => {
                _ = writeln!(core.log, "burst: {error:?}");
                *run = None;
                return;
            }
        }
    }
    if now.theirs.number >= now.count {
        let mut report = [0; 12];
        let numbers = [now.ours.number, now.theirs.number, now.wrong];
        for (target, number) in report.chunks_exact_mut(4).zip(numbers) {
            target.copy_from_slice(&number.to_le_bytes());
        }
        let peer = now.peer;
        *run = None;
        answer(core, peer, &report);
        _ = writeln!(core.log, "burst: {numbers:?}");
    }
}
