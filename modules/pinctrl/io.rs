// SPDX-License-Identifier: GPL-2.0

//! The registers of the chip, mapped into memory.

use kernel::{
    device::{
        property::FwNode,
        Bound,
        Core,
        Device, //
    },
    devres::Devres,
    io::mem::IoMem,
    platform,
    prelude::*,
    sync::Arc, //
};

use crate::registers::{
    mode_offset,
    Address,
    Block,
    Bus, //
};

/// All blocks.
pub(crate) struct Mapped {
    /// In the order of [`Block::ALL`].
    blocks: KVec<Arc<Devres<IoMem>>>,

    /// [`Block::Pinmux`] once more, so that it is not looked for each time.
    pinmux: Arc<Devres<IoMem>>,
}

impl Mapped {
    /// Maps the blocks that the device tree names, or says which of them cannot be.
    pub(crate) fn new(pdev: &platform::Device<Core>, node: &FwNode) -> Result<Self> {
        let dev: &Device<Core> = pdev.as_ref();
        let mut blocks = KVec::with_capacity(Block::ALL.len(), GFP_KERNEL)?;
        for block in Block::ALL {
            let name = block.name();
            let Some(resource) = pdev.resource_by_name(name) else {
                dev_err!(dev, "{node}: reg-names has no \"{name}\"\n");
                return Err(EINVAL);
            };
            if usize::try_from(resource.size())? < block.size() {
                dev_err!(
                    dev,
                    "{node}: \"{name}\" has {:#x} bytes, fewer than {:#x}\n",
                    resource.size(),
                    block.size()
                );
                return Err(EINVAL);
            }
            let request = pdev.io_request_by_name(name).ok_or(EINVAL)?;
            let mapped = request.iomap_shared().inspect_err(|error| {
                dev_err!(dev, "{node}: \"{name}\" cannot be mapped: {error:?}\n");
            })?;
            blocks.push_within_capacity(mapped)?;
        }
        let pinmux = blocks.get(Block::Pinmux as usize).ok_or(EINVAL)?.clone();
        Ok(Self { blocks, pinmux })
    }

    fn block<'a>(&'a self, dev: &'a Device<Bound>, block: Block) -> Result<&'a IoMem> {
        self.blocks.get(block as usize).ok_or(EINVAL)?.access(dev)
    }
}

impl Bus for Mapped {
    fn read(&self, dev: &Device<Bound>, address: Address) -> Result<u32> {
        self.block(dev, address.block)?.try_read32(address.offset)
    }

    fn write(&self, dev: &Device<Bound>, address: Address, value: u32) -> Result {
        self.block(dev, address.block)?
            .try_write32(value, address.offset)
    }

    fn modify(&self, dev: &Device<Bound>, address: Address, mask: u32, bits: u32) -> Result<u32> {
        let block = self.block(dev, address.block)?;
        let value = block.try_read32(address.offset)?;
        block.try_write32((value & !mask) | bits, address.offset)?;
        block.try_read32(address.offset)
    }

    // Inlined where it is called for one pin after the other.
    #[inline(always)]
    fn modify_mode(&self, dev: &Device<Bound>, pin: u32, mask: u32, bits: u32) -> Result<u32> {
        let pinmux = self.pinmux.access(dev)?.first::<{ Block::Pinmux.size() }>()?;
        let offset = mode_offset(pin);
        let value = pinmux.try_read32(offset)?;
        pinmux.try_write32((value & !mask) | bits, offset)?;
        pinmux.try_read32(offset)
    }
}
