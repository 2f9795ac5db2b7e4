// SPDX-License-Identifier: GPL-2.0

//! What the driver wants of the chip, which KUnit replaces, and the chip itself.

use kernel::{
    c_str,
    device::{
        Bound,
        Device, //
    },
    devres::Devres,
    fmt,
    io::{
        mem::IoMem,
        register::{
            Readable,
            Registers,
            Writable, //
        }, //
    },
    mailbox::client::{
        Channel,
        Client, //
    },
    new_mutex,
    of_reserved_mem::ReservedMemory,
    prelude::*,
    sync::{
        aref::ARef,
        Arc,
        Mutex, //
    },
    time::{
        delay::fsleep,
        Delta,
        Msecs, //
    }, //
};

use intercore::{
    BufferError,
    Buffers,
    Descriptor,
    Doorbells,
    Entry,
    SharedMemory, //
};
use mt3620_mailbox::Message;

use crate::{
    registers::{
        BLOCK_SIZE,
        BLOCK_STRIDE, //
    },
    run::Inbox,
    Socket, //
};

/// How long an entry may wait for room in the mailbox.
const ROOM: Msecs = 1000;

/// The bytes of a buffer.
pub(crate) const BUFFER_SIZE: u32 = 4096;

/// One real-time core, as the driver reaches it.
pub(crate) trait Chip: Send + Sync + Sized + 'static {
    /// The memory of a buffer.
    type Memory: SharedMemory + Send;
    /// Where messages of the core go.
    type Inbox: Inbox;

    /// Reads a register of core control.
    fn read<R: Readable>(&self) -> Result<R>;

    /// Writes a register of core control.
    fn write<R: Writable>(&self, register: R) -> Result;

    /// Puts an image where core control loads it from, and says where that is.
    fn place(&self, image: &[u8]) -> Result<u32>;

    /// Returns the two buffers: where they are, and the memory of the one that the core writes and
    /// of the one that it reads.
    fn buffers(&self) -> (Buffers, Self::Memory, Self::Memory);

    /// Posts an entry, and waits until it is in the mailbox.
    fn post(&self, entry: Entry) -> Result;

    /// Rings doorbells of the core.
    fn ring(&self, doorbells: Doorbells);

    /// Waits.
    fn pause(&self, time: Delta) {
        fsleep(time);
    }

    /// Says something about the core in the kernel log.
    fn tell(&self, what: fmt::Arguments<'_>);

    /// Lets go of what others may want to have: the driver is unbound.
    fn disconnect(&self);
}

/// A part of the reserved memory.
pub(crate) struct Buffer {
    memory: Arc<ReservedMemory>,
    first: usize,
}

impl Buffer {
    const WORDS: usize = BUFFER_SIZE as usize / 4;

    fn index(&self, word: usize) -> usize {
        // A word that the buffer does not have is one that the memory does not have.
        if word < Self::WORDS {
            self.first + word
        } else {
            usize::MAX
        }
    }

    /// How many of so many bytes from a word on the buffer has.
    fn within(word: usize, bytes: usize) -> usize {
        (Self::WORDS.saturating_sub(word) * 4).min(bytes)
    }
}

impl SharedMemory for Buffer {
    fn words(&self) -> usize {
        Self::WORDS
    }

    #[inline]
    fn load(&self, word: usize) -> u32 {
        self.memory.load(self.index(word))
    }

    #[inline]
    fn load_acquire(&self, word: usize) -> u32 {
        self.memory.load_acquire(self.index(word))
    }

    #[inline]
    fn store(&self, word: usize, value: u32) {
        self.memory.store(self.index(word), value);
    }

    #[inline]
    fn store_release(&self, word: usize, value: u32) {
        self.memory.store_release(self.index(word), value);
    }

    fn read(&self, word: usize, bytes: &mut [u8]) {
        let (own, beyond) = bytes.split_at_mut(Self::within(word, bytes.len()));
        self.memory.read(self.index(word), own);
        beyond.fill(0);
    }

    fn write(&self, word: usize, bytes: &[u8]) {
        if let Some(own) = bytes.get(..Self::within(word, bytes.len())) {
            self.memory.write(self.index(word), own);
        }
    }
}

/// Where memory starts for the real-time cores, which have 32 bits.
#[allow(
    clippy::useless_conversion,
    reason = "physical addresses have more bits in other kernels"
)]
fn address_of(memory: &ReservedMemory) -> Result<u32> {
    Ok(u32::try_from(memory.start())?)
}

/// The memory that the device tree reserves.
pub(crate) struct Regions {
    image: Arc<ReservedMemory>,
    buffers: Arc<ReservedMemory>,
}

impl Regions {
    /// Maps both regions, or says which of them cannot be.
    pub(crate) fn new(dev: &Device<Bound>) -> Result<Self> {
        Ok(Self {
            image: Self::map(dev, c_str!("image"))?,
            buffers: Self::map(dev, c_str!("buffers"))?,
        })
    }

    fn map(dev: &Device<Bound>, name: &CStr) -> Result<Arc<ReservedMemory>> {
        let node = dev.fwnode().ok_or(ENODEV)?;
        let memory = ReservedMemory::map_by_name(dev, name).inspect_err(|error| {
            dev_err!(
                dev,
                "{node}: memory-region \"{name}\" cannot be used: {error:?}\n"
            )
        })?;
        if memory.words() == 0 {
            dev_err!(dev, "{node}: memory-region \"{name}\" is empty\n");
            return Err(EINVAL);
        }
        Ok(Arc::new(memory, GFP_KERNEL)?)
    }

    /// Returns the most bytes of an image.
    pub(crate) fn image_size(&self) -> usize {
        self.image.words() * 4
    }

    /// Chooses the buffers of a core: the region is divided among the cores.
    pub(crate) fn buffers_of(&self, dev: &Device<Bound>, core: usize) -> Result<Place> {
        let node = dev.fwnode().ok_or(ENODEV)?;
        let share = self.buffers.words() / intercore::CORES * 4;
        let place = || -> Result<Result<Buffers, BufferError>> {
            let start = address_of(&self.buffers)?;
            let size = u32::try_from(self.buffers.words() * 4)?;
            let end = start.checked_add(size).ok_or(EINVAL)?;
            let first = start + u32::try_from(core * share)?;
            let descriptor = |number: u32| {
                let offset = number * BUFFER_SIZE;
                let address = first.checked_add(offset).ok_or(BufferError::End)?;
                Descriptor::new(address, BUFFER_SIZE)
            };
            Ok((|| {
                Buffers::new(descriptor(0)?, descriptor(1)?, &(start..end))
            })())
        };
        let buffers = match place()? {
            Ok(buffers) if share >= 2 * BUFFER_SIZE as usize => buffers,
            Ok(_) => {
                dev_err!(
                    dev,
                    "{node}: memory-region \"buffers\" has {share} bytes for each core instead of {}\n",
                    2 * BUFFER_SIZE
                );
                return Err(EINVAL);
            }
            Err(error) => {
                dev_err!(dev, "{node}: memory-region \"buffers\": {error}\n");
                return Err(EINVAL);
            }
        };
        Ok(Place {
            buffers,
            first: core * share / 4,
            image: self.image.clone(),
            memory: self.buffers.clone(),
        })
    }
}

/// Where the image and the buffers of a core are.
pub(crate) struct Place {
    buffers: Buffers,
    first: usize,
    image: Arc<ReservedMemory>,
    memory: Arc<ReservedMemory>,
}

/// The client of the mailbox's FIFOs: nothing but the setup is told by them, and only to the core.
pub(crate) struct Fifo;

impl Client for Fifo {
    type Message = Message;

    fn received(&self, _message: &Message) {}
}

/// The client of the mailbox's doorbells.
pub(crate) struct Bell(pub(crate) Arc<crate::realtime::Core<Hardware>>);

impl Client for Bell {
    type Message = Message;
    const DONE_WHEN_TAKEN: bool = true;

    fn received(&self, _message: &Message) {
        // Whichever it was: bits coalesce, and there may be news of both rings.
        self.0.schedule();
    }
}

/// The mailbox of a core.
pub(crate) struct Mailbox {
    pub(crate) fifo: Pin<KBox<Channel<Fifo>>>,
    pub(crate) doorbells: Pin<KBox<Channel<Bell>>>,
}

/// A real-time core of the chip.
#[pin_data]
pub(crate) struct Hardware {
    dev: ARef<Device>,
    number: usize,
    io: Arc<Devres<IoMem<0>>>,
    place: Place,
    /// There is one as long as the driver is bound.
    #[pin]
    pub(crate) mailbox: Mutex<Option<Mailbox>>,
}

impl Hardware {
    pub(crate) fn new(
        dev: ARef<Device>,
        number: usize,
        io: Arc<Devres<IoMem<0>>>,
        place: Place,
    ) -> impl PinInit<Self> {
        pin_init!(Self {
            dev,
            number,
            io,
            place,
            mailbox <- new_mutex!(None),
        })
    }
}

impl Chip for Hardware {
    type Memory = Buffer;
    type Inbox = ARef<Socket>;

    fn read<R: Readable>(&self) -> Result<R> {
        let io = self.io.try_access().ok_or(ENODEV)?;
        Ok(io.part::<BLOCK_SIZE>(self.number * BLOCK_STRIDE)?.read())
    }

    fn write<R: Writable>(&self, register: R) -> Result {
        let io = self.io.try_access().ok_or(ENODEV)?;
        io.part::<BLOCK_SIZE>(self.number * BLOCK_STRIDE)?
            .write(register);
        Ok(())
    }

    fn place(&self, image: &[u8]) -> Result<u32> {
        let memory = &self.place.image;
        if image.len() > memory.words() * 4 {
            return Err(EFBIG);
        }
        let mut chunks = image.chunks_exact(4);
        let mut index = 0;
        for chunk in &mut chunks {
            let word = chunk.first_chunk().copied().unwrap_or_default();
            memory.store(index, u32::from_le_bytes(word));
            index += 1;
        }
        let mut rest = [0; 4];
        for (target, byte) in rest.iter_mut().zip(chunks.remainder()) {
            *target = *byte;
        }
        memory.store_release(index, u32::from_le_bytes(rest));
        address_of(memory)
    }

    fn buffers(&self) -> (Buffers, Buffer, Buffer) {
        let buffer = |number: usize| Buffer {
            memory: self.place.memory.clone(),
            first: self.place.first + number * Buffer::WORDS,
        };
        (self.place.buffers, buffer(0), buffer(1))
    }

    fn post(&self, entry: Entry) -> Result {
        let message = Message {
            data: entry.data,
            command: entry.command,
        };
        let mailbox = self.mailbox.lock();
        let mailbox = mailbox.as_ref().ok_or(ENODEV)?;
        mailbox.fifo.send_timeout(message, ROOM)
    }

    fn ring(&self, doorbells: Doorbells) {
        let message = Message {
            data: 0,
            command: doorbells.bits(),
        };
        if let Some(mailbox) = self.mailbox.lock().as_ref() {
            // Without room there are so many on their way that the core hears one of them.
            let _ = mailbox.doorbells.send(message);
        }
    }

    fn tell(&self, what: fmt::Arguments<'_>) {
        dev_info!(self.dev, "real-time core {}: {what}\n", self.number);
    }

    fn disconnect(&self) {
        // Closing a channel waits for its client's functions, so the lock is not held then.
        let mailbox = self.mailbox.lock().take();
        drop(mailbox);
    }
}
