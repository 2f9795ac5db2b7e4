// SPDX-License-Identifier: GPL-2.0

//! Who a process is: the state on credentials, and the attributes that set and show it.
//!
//! A process begins without an identity. The first program of the system becomes the manager. A process of
//! the manager writes `LSM_ATTR_EXEC` and is [`Label::PENDING`] from then on: it makes the sandbox, it is the
//! manager no more, and the next exec makes it an app. There is no way back, and none from one app to another;
//! all that an app can do is give up rights.

use kernel::{
    alloc::Flags,
    error::code::*,
    lsm::{
        self,
        Attribute,
        AttributeWriter,
        Caller, //
    },
    prelude::*,
    sync::Arc,
    task::Task, //
};

use policy::{
    Access,
    Denial,
    Hook,
    Identity,
    Owner,
    RuleSet,
    Subject,
    Tracee, //
};

use crate::{
    error,
    rules::Component,
    text::Text,
    Nacre, //
};

/// An identity in use. Credentials share it; nothing in it changes.
pub(crate) struct Session {
    identity: Identity,
    component: Arc<Component>,
}

impl Session {
    /// An identity for processes of the component, which cannot be removed before the last of them is gone.
    fn new(identity: Identity, component: Arc<Component>) -> Result<Arc<Self>> {
        component.enter();
        // The component is left again when the allocation fails, as the value is dropped then.
        Ok(Arc::new(
            Self {
                identity,
                component,
            },
            GFP_KERNEL,
        )?)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.component.leave();
    }
}

/// The state on credentials.
///
/// Decisions about processes without a session, which is everything but apps, cost one load. Copies, at fork,
/// cost two words, and for apps a reference.
#[derive(Clone, Zeroable)]
pub(crate) struct Label {
    session: Option<Arc<Session>>,
    state: u32,
}

impl lsm::Blob for Label {}

impl lsm::CredBlob for Label {
    fn prepare(&self, _flags: Flags) -> Result<Self> {
        Ok(self.clone())
    }

    fn transfer(&self) -> Self {
        self.clone()
    }
}

impl Label {
    /// No identity: the kernel, its helpers, and what comes before the first program.
    const NONE: u32 = 0;
    /// The application manager.
    const MANAGER: u32 = 1;
    /// The session counts from the next exec on.
    const PENDING: u32 = 2;
    /// The session counts.
    const APP: u32 = 3;

    /// Whether it is a process that never had an identity.
    pub(crate) fn is_none(&self) -> bool {
        self.state == Self::NONE
    }

    /// Whether it is the manager.
    pub(crate) fn is_manager(&self) -> bool {
        self.state == Self::MANAGER
    }

    /// Makes it the manager, which only the first program becomes.
    pub(crate) fn become_manager(&mut self) {
        self.state = Self::MANAGER;
    }

    /// Lets the identity count that was chosen for after the exec.
    pub(crate) fn enter(&mut self) {
        if self.state == Self::PENDING {
            self.state = Self::APP;
        }
    }

    /// The component, also before the identity counts.
    pub(crate) fn component(&self) -> Option<&Arc<Component>> {
        self.session.as_ref().map(|session| &session.component)
    }

    /// Whose the things are that the process makes.
    pub(crate) fn owner(&self) -> Owner {
        match &self.session {
            Some(session) => Owner::Component(session.identity.component()),
            None if self.is_manager() => Owner::Manager,
            None => Owner::None,
        }
    }

    /// The process as one to look into.
    pub(crate) fn tracee(&self) -> Tracee<'_> {
        match &self.session {
            Some(session) if self.state == Self::APP => Tracee::App(&session.identity),
            Some(session) => Tracee::Pending(&session.identity),
            None if self.is_manager() => Tracee::Manager,
            None => Tracee::None,
        }
    }

    /// Calls the function with the process as the decision core sees it. The rule set is the one of this moment.
    pub(crate) fn with<R>(&self, ask: impl FnOnce(Subject<'_>) -> R) -> R {
        match &self.session {
            Some(session) if self.state == Self::APP => {
                let rules = session.component.rules();
                ask(Subject::App(&session.identity, rules.view()))
            }
            Some(session) => ask(Subject::Pending(&session.identity)),
            None if self.is_manager() => ask(Subject::Manager),
            None => ask(Subject::None),
        }
    }

    /// Asks the decision core about any process, and records a denial.
    pub(crate) fn check(&self, cx: &Caller<Nacre>, hook: Hook, access: Access<'_>) -> Result {
        self.decide(access).map_err(|denial| {
            cx.module().record(self.component(), hook, &access, &denial);
            error(denial.errno)
        })
    }

    /// Asks the decision core about what is only refused to apps; for all others nothing is looked at.
    #[inline]
    pub(crate) fn check_app<'a>(
        &self,
        cx: &Caller<Nacre>,
        hook: Hook,
        access: impl FnOnce() -> Access<'a>,
    ) -> Result {
        match self.session {
            Some(_) => self.check(cx, hook, access()),
            None => Ok(()),
        }
    }

    /// Asks the decision core, and leaves no record.
    pub(crate) fn decide(&self, access: Access<'_>) -> Result<(), Denial> {
        self.with(|subject| subject.decide(access)).allowed()
    }

    /// Asks the decision core what no rule set can change, without a lock and without a record.
    pub(crate) fn decide_by_identity(&self, access: Access<'_>) -> Result<(), Denial> {
        match &self.session {
            Some(session) if self.state == Self::APP => {
                Subject::App(&session.identity, RuleSet::EMPTY)
                    .decide(access)
                    .allowed()
            }
            _ => self.decide(access),
        }
    }
}

/// `lsm_set_self_attr(2)`: the manager chooses an identity for the next program, an app gives up rights.
pub(crate) fn set(cx: &mut Caller<Nacre>, attribute: Attribute, value: &[u8]) -> Result {
    match attribute {
        Attribute::EXEC => choose(cx, value),
        Attribute::CURRENT => reduce(cx, value),
        _ => Err(EOPNOTSUPP),
    }
}

fn choose(cx: &mut Caller<Nacre>, value: &[u8]) -> Result {
    cx.subject()
        .check(cx, Hook::Setselfattr, Access::SetIdentity)?;
    let identity = parse(value)?;
    // The component is entered under the lock, so that nobody removes it in between.
    let session = cx.module().seal(identity.component(), |component| {
        Session::new(identity, component)
    })?;
    cx.update(|label| {
        *label = Label {
            session: Some(session),
            state: Label::PENDING,
        };
        Ok(())
    })
}

fn reduce(cx: &mut Caller<Nacre>, value: &[u8]) -> Result {
    let label = cx.subject();
    // Whoever is no app learns nothing about the value.
    let Some(component) = label.component().filter(|_| label.state == Label::APP) else {
        return Err(EPERM);
    };
    let identity = parse(value)?;
    label.check(cx, Hook::Setselfattr, Access::DropRights(&identity))?;
    let session = Session::new(identity, component.clone())?;
    cx.update(|label| {
        label.session = Some(session);
        Ok(())
    })
}

fn parse(value: &[u8]) -> Result<Identity> {
    Identity::parse(value).map_err(|malformed| error(malformed.errno()))
}

/// `lsm_get_self_attr(2)`: the identity that counts, or the one that will.
pub(crate) fn get(
    cx: &Caller<Nacre>,
    attribute: Attribute,
    value: &mut AttributeWriter<'_>,
) -> Result {
    let label = cx.subject();
    let bytes = match attribute {
        Attribute::CURRENT => label.with(|subject| subject.encode()),
        Attribute::EXEC => match &label.session {
            Some(session) => session.identity.encode(),
            None => label.with(|subject| subject.encode()),
        },
        _ => return Err(EOPNOTSUPP),
    };
    value.put(&bytes)
}

/// `/proc/<pid>/attr/`: text in `current`, the bytes of the original system in `exec`.
pub(crate) fn show(cx: &Caller<Nacre>, task: &Task, name: &CStr) -> Result<KVec<u8>> {
    let own = cx.task().is_same_process(task);
    cx.subject()
        .check(cx, Hook::Getprocattr, Access::ReadIdentity { own })?;
    // The credentials of another process may go at any time, and what follows can sleep.
    let label = cx.blob(&*task.real_cred()).clone();
    let mut text = Text::new();
    match name.to_bytes() {
        b"current" => label.with(|subject| text.write(subject.text()))?,
        b"exec" => text.append(&label.with(|subject| subject.encode_original()))?,
        _ => return Err(EINVAL),
    }
    Ok(text.into_bytes())
}
