// SPDX-License-Identifier: GPL-2.0

//! The line in the kernel log about the first denial of its kind.
//!
//! It is written a little later, by a worker of the kernel: writing takes ten times as long as refusing, and a hook may
//! hold locks.

use kernel::{
    impl_has_delayed_work, new_delayed_work, new_spinlock,
    prelude::*,
    sync::{
        Arc,
        SpinLock, //
    },
    time::{
        msecs_to_jiffies,
        Msecs, //
    },
    workqueue::{
        self,
        DelayedWork,
        WorkItem, //
    },
};

use policy::{
    Capability,
    DenialRecord, //
};

use crate::denials::Lines;

/// How long a line waits, so that the call that was refused does not wait for it.
const DELAY: Msecs = 50;

/// The lines that are to be written.
#[pin_data]
pub(crate) struct Log {
    #[pin]
    lines: SpinLock<Lines>,
    #[pin]
    work: DelayedWork<Log>,
}

impl_has_delayed_work! {
    impl HasDelayedWork<Self> for Log { self.work }
}

impl Log {
    pub(crate) fn new() -> Result<Arc<Self>> {
        Arc::pin_init(
            pin_init!(Self {
                lines <- new_spinlock!(Lines::NONE),
                work <- new_delayed_work!("nacre::Log::work"),
            }),
            GFP_KERNEL,
        )
    }

    /// Has a line written for the denial, unless there were many lately.
    pub(crate) fn tell(self: &Arc<Self>, record: DenialRecord) {
        if self.lines.lock().push(record, record.last) {
            // Work that waits already will write this line as well.
            let _ = workqueue::system().enqueue_delayed(self.clone(), msecs_to_jiffies(DELAY));
        }
    }
}

impl WorkItem for Log {
    type Pointer = Arc<Self>;

    fn run(this: Arc<Self>) {
        loop {
            let next = this.lines.lock().pop();
            let Some(record) = next else { return };
            write(&record);
        }
    }
}

fn write(record: &DenialRecord) {
    let key = record.key.map_or("-", Capability::key);
    pr_notice!(
        "{}: {} {} denied ({}), key {}\n",
        record.component,
        record.hook,
        record.class,
        record.errno,
        key
    );
}
