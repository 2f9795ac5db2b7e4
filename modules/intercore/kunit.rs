// SPDX-License-Identifier: GPL-2.0

//! The driver with cores that are not there: registers, memory and sockets are played.

use kernel::prelude::*;

#[kunit_tests(nacre_mt3620_intercore)]
mod tests {
    use super::*;
    use kernel::{
        fmt,
        io::register::{
            Readable,
            Register,
            Writable, //
        },
        new_mutex,
        sync::{
            atomic::{
                Acquire,
                Atomic,
                Full,
                Relaxed,
                Release, //
            },
            Arc,
            Mutex, //
        },
        time::{
            delay::fsleep,
            Delta, //
        }, //
    };

    use intercore::{
        Address,
        Buffers,
        Channel,
        Descriptor,
        Doorbells,
        Endpoint,
        Entry,
        Next,
        Partners,
        SharedMemory,
        Side,
        SocketError,
        MAX_PAYLOAD, //
    };
    use policy::{
        AppKind,
        ComponentId,
        Grant,
        Identity,
        RuleSet,
        Subject, //
    };

    use crate::{
        chip::{
            Chip,
            BUFFER_SIZE, //
        },
        realtime::{
            Core,
            Shared,
            State, //
        },
        registers::{
            Command,
            Event,
            Outcome,
            Status, //
        },
        run::{
            Inbox,
            Run, //
        },
    };

    const APP: ComponentId = ComponentId::from_bytes([1; 16]);
    const OTHER: ComponentId = ComponentId::from_bytes([2; 16]);
    const REAL_TIME: ComponentId = ComponentId::from_bytes([8; 16]);
    const SECOND: ComponentId = ComponentId::from_bytes([9; 16]);
    const WORDS: usize = BUFFER_SIZE as usize / 4;
    const IMAGE: usize = 4096;
    const BASE: u32 = 0x83f0_0000;

    /// Memory that two cores share.
    #[derive(Clone)]
    struct Words(Arc<KVec<Atomic<u32>>>);

    impl Words {
        fn new() -> Result<Self> {
            let mut words = KVec::with_capacity(WORDS, GFP_KERNEL)?;
            for _ in 0..WORDS {
                // What was there before must not get out.
                words.push(Atomic::new(0xdead_beef), GFP_KERNEL)?;
            }
            Ok(Self(Arc::new(words, GFP_KERNEL)?))
        }
    }

    impl SharedMemory for Words {
        fn words(&self) -> usize {
            WORDS
        }

        fn load(&self, word: usize) -> u32 {
            self.0.get(word).map_or(0, |word| word.load(Relaxed))
        }

        fn load_acquire(&self, word: usize) -> u32 {
            self.0.get(word).map_or(0, |word| word.load(Acquire))
        }

        fn store(&self, word: usize, value: u32) {
            if let Some(word) = self.0.get(word) {
                word.store(value, Relaxed);
            }
        }

        fn store_release(&self, word: usize, value: u32) {
            if let Some(word) = self.0.get(word) {
                word.store(value, Release);
            }
        }
    }

    /// What core control was told, and how it answers.
    struct Played {
        commands: KVec<u32>,
        entries: KVec<Entry>,
        status: u32,
        /// The command that fails, and how.
        fails: Option<(Command, u32)>,
        has_room: bool,
    }

    /// A core that is not there.
    #[pin_data]
    struct Fake {
        #[pin]
        played: Mutex<Played>,
        inbound: Words,
        outbound: Words,
        rung: Atomic<u32>,
    }

    impl Fake {
        fn new() -> Result<impl PinInit<Self>> {
            let (inbound, outbound) = (Words::new()?, Words::new()?);
            let played = Played {
                commands: KVec::new(),
                entries: KVec::new(),
                status: 0,
                fails: None,
                has_room: true,
            };
            Ok(pin_init!(Self {
                played <- new_mutex!(played),
                inbound,
                outbound,
                rung: Atomic::new(0),
            }))
        }
    }

    impl Chip for Fake {
        type Memory = Words;
        type Inbox = Arc<Letters>;

        fn read<R: Readable>(&self) -> Result<R> {
            let played = self.played.lock();
            let command = played.commands.last().copied().unwrap_or(0);
            Ok(R::from_bits(match R::OFFSET {
                Status::OFFSET => played.status,
                Outcome::OFFSET => match played.fails {
                    Some((Command(failing), outcome)) if failing == command => outcome,
                    _ => 0,
                },
                _ => 0,
            }))
        }

        fn write<R: Writable>(&self, register: R) -> Result {
            if R::OFFSET == Command::OFFSET {
                let mut played = self.played.lock();
                let command = Command(register.bits());
                played.commands.push(command.0, GFP_KERNEL)?;
                match command {
                    Command::START => played.status = 1 << 1,
                    Command::STOP => played.status &= !(1 << 1),
                    _ => {}
                }
            }
            Ok(())
        }

        fn place(&self, _image: &[u8]) -> Result<u32> {
            Ok(0x83e0_0000)
        }

        fn buffers(&self) -> (Buffers, Words, Words) {
            let descriptor = |number| Descriptor::new(BASE + number * BUFFER_SIZE, BUFFER_SIZE);
            let buffers = descriptor(0)
                .and_then(|one| Buffers::new(one, descriptor(1)?, &(BASE..BASE + 2 * BUFFER_SIZE)));
            (
                buffers.unwrap(),
                self.inbound.clone(),
                self.outbound.clone(),
            )
        }

        fn post(&self, entry: Entry) -> Result {
            let mut played = self.played.lock();
            if !played.has_room {
                return Err(ETIME);
            }
            played.entries.push(entry, GFP_KERNEL)?;
            Ok(())
        }

        fn ring(&self, doorbells: Doorbells) {
            self.rung.fetch_add(doorbells.bits(), Relaxed);
        }

        fn pause(&self, _time: Delta) {}

        fn tell(&self, _what: fmt::Arguments<'_>) {}

        fn disconnect(&self) {}
    }

    /// A socket that is not there: it has room for so many messages.
    #[pin_data]
    struct Letters {
        room: usize,
        #[pin]
        queue: Mutex<KVec<KVec<u8>>>,
        throttled: Atomic<i32>,
        woken: Atomic<i32>,
        hung_up: Atomic<i32>,
    }

    impl Letters {
        fn new(room: usize) -> Result<Arc<Self>> {
            Arc::pin_init(
                pin_init!(Self {
                    room,
                    queue <- new_mutex!(KVec::new()),
                    throttled: Atomic::new(0),
                    woken: Atomic::new(0),
                    hung_up: Atomic::new(0),
                }),
                GFP_KERNEL,
            )
        }

        fn count(&self) -> usize {
            self.queue.lock().len()
        }

        fn next(&self) -> Option<KVec<u8>> {
            let mut queue = self.queue.lock();
            if queue.is_empty() {
                return None;
            }
            queue.remove(0).ok()
        }
    }

    impl Inbox for Arc<Letters> {
        fn has_room(&self) -> bool {
            self.count() < self.room
        }

        fn throttle(&self) -> bool {
            self.throttled.store(1, Relaxed);
            self.has_room()
        }

        fn deliver(&self, size: usize, fill: impl FnOnce(&mut [u8])) -> Result {
            let mut letter = KVec::from_elem(0, size, GFP_KERNEL)?;
            fill(&mut letter);
            self.queue.lock().push(letter, GFP_KERNEL)?;
            Ok(())
        }

        fn wake(&self) {
            self.woken.fetch_add(1, Relaxed);
        }

        fn hang_up(&self) {
            self.hung_up.fetch_add(1, Relaxed);
        }
    }

    /// Two cores.
    fn cores() -> Result<[Arc<Core<Fake>>; 2]> {
        let shared = Arc::pin_init(Shared::new(), GFP_KERNEL)?;
        let core = |index| -> Result<Arc<Core<Fake>>> {
            Arc::pin_init(
                Core::new(index, IMAGE, shared.clone(), Fake::new()?),
                GFP_KERNEL,
            )
        };
        Ok([core(0)?, core(1)?])
    }

    fn write(core: &Core<Fake>, size: usize) -> Result<usize> {
        core.append(size, |image| {
            image.resize(image.len() + size, 7, GFP_KERNEL)?;
            Ok(size)
        })
    }

    fn ids(components: &[ComponentId]) -> Result<KVec<u8>> {
        let mut bytes = KVec::new();
        for component in components {
            bytes.extend_from_slice(&component.to_bytes(), GFP_KERNEL)?;
        }
        Ok(bytes)
    }

    /// Starts an app that lists both.
    fn start(core: &Arc<Core<Fake>>, component: ComponentId) -> Result<Arc<Run<Fake>>> {
        write(core, 64)?;
        core.start(component, ids(&[APP, OTHER])?)?;
        Ok(core.shared().find(component).ok_or(ENOENT)?.1)
    }

    /// The core's end of the channel.
    fn far(core: &Core<Fake>) -> Result<Channel<Words>> {
        let (inbound, outbound) = (core.chip.inbound.clone(), core.chip.outbound.clone());
        Channel::new(Side::RealTime, outbound, inbound).map_err(|_| EINVAL)
    }

    /// What a socket of an app knows once it is connected.
    fn endpoint(owner: ComponentId, peer: ComponentId) -> Result<Endpoint> {
        let grant = Grant {
            peers: &[peer],
            ..Grant::none(owner, AppKind::HighLevel)
        };
        let mut rules = KVec::from_elem(0, RuleSet::MAX_SIZE, GFP_KERNEL)?;
        let length = RuleSet::encode(&grant, &[], &mut rules).map_err(|_| EINVAL)?;
        rules.truncate(length);
        let rules = RuleSet::parse(&rules).map_err(|_| EINVAL)?;
        let identity = Identity::new(owner).ok_or(EINVAL)?;
        let caller = Subject::App(&identity, rules);
        let partners = ids(&[owner])?;
        let partners = Partners::parse(&partners).map_err(|_| EINVAL)?;
        let mut endpoint = Endpoint::create(caller, 2, 0).map_err(|_| EINVAL)?;
        endpoint
            .connect(caller, Address(peer), partners)
            .map_err(|_| EINVAL)?;
        Ok(endpoint)
    }

    /// Waits until a worker of the kernel has done something.
    fn eventually(mut what: impl FnMut() -> bool) -> bool {
        for _ in 0..5000 {
            if what() {
                return true;
            }
            fsleep(Delta::from_millis(1));
        }
        false
    }

    fn state(core: &Core<Fake>) -> Result<i32> {
        Ok(i32::try_from(core.state()?)?)
    }

    fn payload(number: usize) -> Result<KVec<u8>> {
        let mut bytes = KVec::new();
        for index in 0..1 + number * 37 % MAX_PAYLOAD {
            bytes.push((number + index) as u8, GFP_KERNEL)?;
        }
        Ok(bytes)
    }

    #[test]
    fn a_core_is_started_in_order() -> Result {
        let [core, _] = cores()?;
        start(&core, REAL_TIME)?;
        assert_eq!(state(&core)?, State::Running as i32);
        let played = core.chip.played.lock();
        let wanted = [
            Command::STOP,
            Command::LOAD,
            Command::GRANT,
            Command::GRANT,
            Command::START,
        ];
        assert!(played
            .commands
            .iter()
            .copied()
            .eq(wanted.map(|command| command.0)));
        // Exactly three entries, since some firmware reads three.
        let (buffers, inbound, outbound) = core.chip.buffers();
        assert!(played.entries.iter().copied().eq(buffers.entries()));
        // Nothing of what was there before gets out.
        assert!((0..WORDS).all(|word| inbound.load(word) == 0 && outbound.load(word) == 0));
        Ok(())
    }

    #[test]
    fn what_cannot_be_started_is_not_started_by_half() -> Result {
        let [core, _] = cores()?;
        for (command, outcome, error) in [
            (Command::LOAD, 5, ENOEXEC),
            (Command::LOAD, 7, ENOEXEC),
            (Command::LOAD, 6, EFBIG),
            (Command::LOAD, 4, EIO),
            (Command::GRANT, 8, EIO),
            (Command::START, 3, EIO),
        ] {
            core.chip.played.lock().fails = Some((command, outcome));
            assert_eq!(start(&core, REAL_TIME).err(), Some(error));
            assert_eq!(state(&core)?, State::Stopped as i32);
            assert!(core.shared().find(REAL_TIME).is_none());
            let played = core.chip.played.lock();
            assert_eq!(played.commands.last().copied(), Some(Command::STOP.0));
            assert!(played.entries.is_empty());
        }
        core.chip.played.lock().fails = None;
        core.chip.played.lock().has_room = false;
        assert_eq!(start(&core, REAL_TIME).err(), Some(ETIMEDOUT));
        assert_eq!(state(&core)?, State::Stopped as i32);
        // The twin: the image that was written is still there.
        core.chip.played.lock().has_room = true;
        core.start(REAL_TIME, ids(&[APP])?)?;
        assert_eq!(state(&core)?, State::Running as i32);
        Ok(())
    }

    #[test]
    fn core_control_that_does_not_answer_is_given_up() -> Result {
        let [core, _] = cores()?;
        core.chip.played.lock().status = 1 << 2;
        assert_eq!(start(&core, REAL_TIME).err(), Some(ETIMEDOUT));
        assert_eq!(core.stop(), Err(ETIMEDOUT));
        Ok(())
    }

    #[test]
    fn requests_that_make_no_sense_are_refused() -> Result {
        let [core, other] = cores()?;
        assert_eq!(core.start(REAL_TIME, KVec::new()), Err(ENODATA));
        assert_eq!(write(&core, IMAGE + 1), Err(EFBIG));
        write(&core, IMAGE)?;
        assert_eq!(write(&core, 1), Err(EFBIG));
        assert_eq!(core.start(ComponentId::NIL, KVec::new()), Err(EINVAL));
        // Partners that do not ascend, with nobody among them, and a half one.
        for partners in [ids(&[OTHER, APP])?, ids(&[ComponentId::NIL])?] {
            assert_eq!(core.start(REAL_TIME, partners), Err(EINVAL));
        }
        let mut half = ids(&[APP])?;
        half.truncate(15);
        assert_eq!(core.start(REAL_TIME, half), Err(EINVAL));

        core.start(REAL_TIME, ids(&[APP])?)?;
        assert_eq!(write(&core, 1), Err(EBUSY));
        assert_eq!(core.start(SECOND, ids(&[APP])?), Err(EBUSY));
        write(&other, 64)?;
        assert_eq!(other.start(REAL_TIME, ids(&[APP])?), Err(EEXIST));
        other.start(SECOND, ids(&[APP])?)?;

        core.stop()?;
        core.stop()?;
        assert_eq!(core.start(REAL_TIME, KVec::new()), Err(ENODATA));
        // One file at a time, and none when the driver is gone.
        core.open()?;
        assert_eq!(core.open(), Err(EBUSY));
        core.release();
        core.open()?;
        core.retire();
        assert_eq!(core.state(), Err(ENODEV));
        assert_eq!(core.news(), (false, true));
        core.release();
        assert_eq!(core.open(), Err(ENODEV));
        Ok(())
    }

    #[test]
    fn a_thousand_messages_go_each_way_in_order() -> Result {
        let [core, _] = cores()?;
        let run = start(&core, REAL_TIME)?;
        let letters = Letters::new(1000)?;
        run.join(endpoint(APP, REAL_TIME)?, letters.clone())?;
        let mut far = far(&core)?;
        let mut buffer = KVec::from_elem(0, MAX_PAYLOAD, GFP_KERNEL)?;
        for number in 0..1000 {
            let wanted = payload(number)?;
            run.send(APP, &wanted).map_err(|_| EIO)?;
            match far.receive() {
                Ok(Some(Next::Message(message))) => {
                    assert_eq!(message.component(), APP);
                    assert!(message.read(&mut buffer) == &wanted[..]);
                }
                _ => return Err(EIO),
            }
            assert!(eventually(|| far.send(APP, &wanted).is_ok() || {
                core.schedule();
                false
            }));
        }
        core.schedule();
        assert!(eventually(|| letters.count() == 1000));
        for number in 0..1000 {
            assert!(letters
                .next()
                .is_some_and(|letter| payload(number).is_ok_and(|it| it[..] == letter[..])));
        }
        // Each was rung for.
        assert!(core.chip.rung.load(Relaxed) >= 2 * 1000);
        Ok(())
    }

    #[test]
    fn s53_a_slow_socket_stops_its_own_core_at_most() -> Result {
        let [slow, quick] = cores()?;
        let (run, other) = (start(&slow, REAL_TIME)?, start(&quick, SECOND)?);
        let (full, empty) = (Letters::new(2)?, Letters::new(100)?);
        run.join(endpoint(APP, REAL_TIME)?, full.clone())?;
        other.join(endpoint(APP, SECOND)?, empty.clone())?;
        let (mut far, mut peer) = (far(&slow)?, far(&quick)?);
        for _ in 0..3 {
            far.send(APP, b"slow").map_err(|_| EIO)?;
        }
        slow.schedule();
        assert!(eventually(|| full.throttled.load(Relaxed) != 0));
        assert_eq!(full.count(), 2);
        for number in 1..50 {
            peer.send(APP, b"quick").map_err(|_| EIO)?;
            quick.schedule();
            assert!(eventually(|| empty.count() == number));
        }
        // The twin: what is left waits in the ring, until somebody reads.
        assert_eq!(full.count(), 2);
        full.next();
        slow.schedule();
        assert!(eventually(|| full.count() == 2));
        Ok(())
    }

    #[test]
    fn s54_what_waits_has_an_end() -> Result {
        let [core, _] = cores()?;
        let run = start(&core, REAL_TIME)?;
        let letters = Letters::new(4)?;
        run.join(endpoint(APP, REAL_TIME)?, letters.clone())?;
        let mut far = far(&core)?;
        for _ in 0..1000 {
            let _ = far.send(APP, &[0; MAX_PAYLOAD]);
            core.schedule();
        }
        assert!(eventually(|| {
            core.schedule();
            far.send(APP, &[0; MAX_PAYLOAD]).is_err() && letters.count() == 4
        }));
        fsleep(Delta::from_millis(50));
        assert_eq!(letters.count(), 4);
        // Neither does anything pile up towards the core: what has no room fails (S59).
        let mut sent = 0;
        while run.send(APP, &[0; MAX_PAYLOAD]).is_ok() {
            sent += 1;
        }
        assert_eq!(sent, 3);
        assert_eq!(run.send(APP, &[0; MAX_PAYLOAD]), Err(SocketError::Full));
        assert!(!run.is_writable());
        // The twin: when the core reads, who waits is woken, and can send.
        let Ok(Some(Next::Message(message))) = far.receive() else {
            return Err(EIO);
        };
        message.discard();
        core.schedule();
        assert!(eventually(|| letters.woken.load(Relaxed) != 0));
        assert!(run.is_writable());
        assert_eq!(run.send(APP, &[0; MAX_PAYLOAD]), Ok(()));
        Ok(())
    }

    #[test]
    fn s55_a_run_that_is_over_is_of_no_use() -> Result {
        let [core, _] = cores()?;
        let run = start(&core, REAL_TIME)?;
        let (ticket, _) = core.shared().find(REAL_TIME).ok_or(ENOENT)?;
        let letters = Letters::new(4)?;
        run.join(endpoint(APP, REAL_TIME)?, letters.clone())?;
        core.stop()?;
        assert_eq!(letters.hung_up.load(Relaxed), 1);
        assert!(core.shared().find(REAL_TIME).is_none());
        assert!(core.shared().run(ticket).is_none());
        assert_eq!(run.send(APP, b"late"), Err(SocketError::Unreachable));
        assert_eq!(
            run.join(endpoint(OTHER, REAL_TIME)?, letters.clone()),
            Err(ECONNRESET)
        );
        run.leave(APP);

        // S56: the same app runs again, and nothing of its earlier run counts.
        let next = start(&core, REAL_TIME)?;
        assert!(core.shared().run(ticket).is_none());
        assert_eq!(run.send(APP, b"late"), Err(SocketError::Unreachable));
        assert!((0..WORDS).all(|word| core.chip.outbound.load(word) == 0));
        assert_eq!(next.send(APP, b"now"), Ok(()));
        Ok(())
    }

    #[test]
    fn each_app_has_one_socket_to_a_core() -> Result {
        let [core, _] = cores()?;
        let run = start(&core, REAL_TIME)?;
        let (one, two) = (Letters::new(4)?, Letters::new(4)?);
        run.join(endpoint(APP, REAL_TIME)?, one.clone())?;
        assert_eq!(
            run.join(endpoint(APP, REAL_TIME)?, two.clone()),
            Err(EADDRINUSE)
        );
        run.join(endpoint(OTHER, REAL_TIME)?, two.clone())?;
        let mut far = far(&core)?;
        for (component, text) in [(OTHER, b"two"), (SECOND, b"who"), (APP, b"one")] {
            far.send(component, text).map_err(|_| EIO)?;
        }
        core.schedule();
        assert!(eventually(|| (one.count(), two.count()) == (1, 1)));
        assert!(one.next().is_some_and(|letter| letter[..] == b"one"[..]));
        // The twin: when the first one is closed, there is room for another one.
        run.leave(APP);
        run.join(endpoint(APP, REAL_TIME)?, one)?;
        Ok(())
    }

    #[test]
    fn p40_a_core_that_breaks_the_protocol_is_halted_alone() -> Result {
        let [bad, good] = cores()?;
        let other = start(&good, SECOND)?;
        let heard = Letters::new(100)?;
        other.join(endpoint(APP, SECOND)?, heard.clone())?;
        let mut peer = far(&good)?;
        for (round, (word, value)) in [
            (0, 4032),
            (0, 17),
            (0, 0xffff_ffff),
            (1, 0xffff_fff0),
            (1, 16),
        ]
        .into_iter()
        .enumerate()
        {
            let run = start(&bad, REAL_TIME)?;
            let letters = Letters::new(4)?;
            run.join(endpoint(APP, REAL_TIME)?, letters.clone())?;
            // Its header has the write position first and then the read position.
            bad.chip.inbound.store_release(word, value);
            if word == 0 {
                bad.schedule();
            } else {
                assert_eq!(run.send(APP, b"hello"), Err(SocketError::Unreachable));
            }
            assert!(eventually(|| bad.news() == (true, false)));
            assert!(eventually(|| letters.hung_up.load(Relaxed) != 0));
            assert_eq!(state(&bad)?, State::Halted as i32);
            // Who has asked knows.
            assert_eq!(bad.news(), (false, false));
            assert_eq!(run.send(APP, b"hello"), Err(SocketError::Unreachable));
            assert_eq!(
                run.join(endpoint(OTHER, REAL_TIME)?, letters),
                Err(ECONNRESET)
            );

            peer.send(APP, b"still here").map_err(|_| EIO)?;
            good.schedule();
            assert!(eventually(|| heard.count() == round + 1));
            assert_eq!(state(&good)?, State::Running as i32);
            // Only a restart helps.
            bad.stop()?;
        }
        let run = start(&bad, REAL_TIME)?;
        assert_eq!(run.send(APP, b"hello"), Ok(()));
        Ok(())
    }

    #[test]
    fn whoever_sees_it_first_halts_the_channel() -> Result {
        let [core, _] = cores()?;
        // Before anybody sends again: the reminder, and who asks for room.
        for asks in [false, true] {
            let run = start(&core, REAL_TIME)?;
            let letters = Letters::new(4)?;
            run.join(endpoint(APP, REAL_TIME)?, letters.clone())?;
            if !asks {
                run.send(APP, b"hello").map_err(|_| EIO)?;
            }
            core.chip.inbound.store_release(1, 4032);
            if asks {
                assert!(run.is_writable());
            }
            assert!(eventually(|| core.news().0));
            assert_eq!(letters.hung_up.load(Relaxed), 1);
            assert_eq!(state(&core)?, State::Halted as i32);
            core.stop()?;
        }
        Ok(())
    }

    #[test]
    fn blocks_that_no_app_sends_are_lost_or_halt() -> Result {
        let [core, _] = cores()?;
        // Length word, what there is of the block, whether the channel halts.
        for (length, written, halts) in [
            (0, 32, true),
            (19, 32, true),
            (20, 32, false),
            (20 + 1024, 1056, false),
            (20 + 1040, 1072, false),
            (20 + 1041, 1072, true),
            (20 + 9, 32, true),
            (0xffff_ffff, 4016, true),
        ] {
            start(&core, REAL_TIME)?;
            let memory = &core.chip.inbound;
            memory.store(16, length);
            memory.store_release(0, written);
            core.schedule();
            if halts {
                assert!(eventually(|| core.news().0));
            } else {
                // It was taken.
                assert!(eventually(|| core.chip.outbound.load(1) == written));
            }
            let wanted = if halts { State::Halted } else { State::Running };
            assert_eq!(state(&core)?, wanted as i32);
            core.stop()?;
        }
        Ok(())
    }

    #[test]
    fn a_core_that_stops_by_itself_is_noticed() -> Result {
        let [core, _] = cores()?;
        for (status, wanted) in [
            (1 << 3, State::LockedUp),
            (1 << 4, State::Bitten),
            (1 << 3 | 1 << 4, State::LockedUp),
            // It runs, and so is stopped.
            (1 << 1 | 1 << 5, State::Reset),
            (1 << 2 | 1 << 5, State::Reset),
        ] {
            let run = start(&core, REAL_TIME)?;
            // An event of before is none.
            core.event();
            assert_eq!(state(&core)?, State::Running as i32);
            core.chip.played.lock().status = status;
            core.event();
            assert_eq!(core.news(), (true, false));
            assert_eq!(state(&core)?, wanted as i32);
            assert_eq!(core.news(), (false, false));
            assert_eq!(run.send(APP, b"hello"), Err(SocketError::Unreachable));
            // It starts again with an image of its own.
            assert_eq!(core.start(REAL_TIME, KVec::new()), Err(ENODATA));
            core.chip.played.lock().status = 0;
        }
        start(&core, REAL_TIME)?;
        Ok(())
    }

    #[test]
    fn a_core_that_does_not_read_is_rung_again() -> Result {
        let [core, _] = cores()?;
        let run = start(&core, REAL_TIME)?;
        let ringing = || core.chip.rung.load(Relaxed);
        run.send(APP, b"hello").map_err(|_| EIO)?;
        assert!(ringing() >= 2);
        assert!(eventually(|| ringing() >= 6));
        // The twin: what was read is over.
        let mut far = far(&core)?;
        let Ok(Some(Next::Message(message))) = far.receive() else {
            return Err(EIO);
        };
        message.discard();
        fsleep(Delta::from_millis(1500));
        let before = core.chip.rung.xchg(0, Full);
        assert!(before >= 6);
        fsleep(Delta::from_millis(1500));
        assert_eq!(ringing(), 0);
        Ok(())
    }

    #[test]
    fn events_have_their_bit() {
        assert_eq!(Event::STOPPED.0, 1);
        assert!(Status(1 << 1).is_running() && !Status(1 << 1).is_busy());
        assert!(Status(1 << 2).is_busy() && !Status(1 << 2).is_running());
    }
}
