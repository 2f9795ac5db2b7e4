// SPDX-License-Identifier: GPL-2.0

//! `/dev/rtcore0` and `/dev/rtcore1`: the cores, for the application manager.
//!
//! An open file owns its core: when it is closed, the core is stopped.

use kernel::{
    fs::{
        File,
        Kiocb, //
    },
    ioctl::{
        _IO,
        _IOR,
        _IOW, //
    },
    iov::IovIterSource,
    miscdevice::{
        MiscDevice,
        MiscDeviceRegistration, //
    },
    prelude::*,
    sync::{
        poll::{
            mask,
            PollTable, //
        },
        Arc,
        ArcBorrow, //
    },
    uaccess::UserSlice, //
};

use intercore::Partners;
use policy::{
    ComponentId,
    Subject, //
};

use crate::{
    chip::Hardware,
    realtime::Core, //
};

/// The bytes of an id.
const ID: usize = 16;

/// The argument of [`START`]: the component, how many partners it has, a reserved word that is zero,
/// and the partners.
type Request = [u8; ID + 4 + 4 + ID * Partners::MAX];

const LETTER: u32 = 'N' as u32;

/// Starts the image that was written.
const START: u32 = _IOW::<Request>(LETTER, 0x40);
/// Stops the core.
const STOP: u32 = _IO(LETTER, 0x41);
/// Asks what the core does.
const STATUS: u32 = _IOR::<u32>(LETTER, 0x42);

/// An open file.
pub(crate) struct RtCore(Arc<Core<Hardware>>);

#[vtable]
impl MiscDevice for RtCore {
    type Ptr = Arc<Self>;
    type RegistrationData = Arc<Core<Hardware>>;

    fn open(_file: &File, device: &MiscDeviceRegistration<Self>) -> Result<Arc<Self>> {
        // Where the security module is not active there is the mode of the file.
        if nacre::current(|caller| matches!(caller, Subject::Manager)) == Some(false) {
            return Err(EACCES);
        }
        let core = device.data();
        core.open()?;
        Arc::new(Self(core.clone()), GFP_KERNEL).map_err(|error| {
            core.release();
            error.into()
        })
    }

    fn release(device: Arc<Self>, _file: &File) {
        device.0.release();
    }

    fn write_iter(kiocb: Kiocb<'_, Self::Ptr>, data: &mut IovIterSource<'_>) -> Result<usize> {
        let size = data.len();
        kiocb.file().0.append(size, |image| {
            image.reserve(size, GFP_KERNEL)?;
            data.copy_from_iter_vec(image, GFP_KERNEL)
        })
    }

    fn poll(device: ArcBorrow<'_, Self>, file: &File, table: PollTable<'_>) -> u32 {
        let core = &device.0;
        table.register_wait(file, &core.changed);
        match core.news() {
            (_, true) => mask::ERR | mask::HUP,
            (true, _) => mask::ERR | mask::PRI,
            _ => 0,
        }
    }

    fn ioctl(
        device: ArcBorrow<'_, Self>,
        _file: &File,
        command: u32,
        argument: usize,
    ) -> Result<isize> {
        let core = &device.0;
        let user = |size| UserSlice::new(UserPtr::from_addr(argument), size);
        match command {
            START => {
                let (component, partners) = request(user(size_of::<Request>()))?;
                core.start(component, partners)?;
            }
            STOP => core.stop()?,
            STATUS => user(size_of::<u32>()).writer().write(&core.state()?)?,
            _ => return Err(ENOTTY),
        }
        Ok(0)
    }
}

/// Reads the argument of [`START`].
fn request(user: UserSlice) -> Result<(ComponentId, KVec<u8>)> {
    let mut reader = user.reader();
    let component = ComponentId::from_guid_bytes(reader.read()?);
    let (count, reserved): (u32, u32) = (reader.read()?, reader.read()?);
    let count = usize::try_from(count)?;
    if reserved != 0 || count > Partners::MAX {
        return Err(EINVAL);
    }
    let mut partners = KVec::with_capacity(ID * count, GFP_KERNEL)?;
    for _ in 0..count {
        partners.extend_from_slice(&reader.read::<[u8; ID]>()?, GFP_KERNEL)?;
    }
    Ok((component, partners))
}
