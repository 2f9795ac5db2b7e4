// SPDX-License-Identifier: Apache-2.0 OR MIT

//! `nacre explain` and `nacre device app denials`: what an app was refused, by which rule, and what to do about it.

use std::time::Duration;

use control::{AppInfo, Denial, Denials};
use policy::{Capability, ComponentId, DenialRecord, Hook, ObjectClass};
use serde_json::{Value, json};

use crate::client::Device;
use crate::failure::Failure;
use crate::output::{Report, field, line};

/// What begins a line of the module in the kernel's log.
const LOG_PREFIX: &str = "nacre: ";

/// The other layers, in a line under a list of what the security module refused.
const OTHER_LAYERS: &str = "Other layers refuse without being counted here: see `nacre explain EPERM`, EACCES or the error that the app got.";

/// What was refused an app, in few words for each kind.
///
/// # Errors
/// What [`Device::get`] answers.
pub fn denials(device: &Device, apps: &[(ComponentId, String)]) -> Result<Report, Failure> {
    let mut text = String::new();
    let mut told = Vec::new();
    let mut any = false;
    for (component, name) in apps {
        let denials = read(device, *component)?;
        let label = label(*component, name);
        if denials.denials.is_empty() {
            line(&mut text, format_args!("{label}: nothing was refused"));
        } else {
            line(&mut text, format_args!("{label}:"));
            any = true;
        }
        for denial in &denials.denials {
            let refusal = Refusal::of(*component, denial, denials.now_ns);
            line(&mut text, format_args!("  {}", refusal.in_one_line()));
        }
        told.push(
            json!({"componentId": component, "nowNs": denials.now_ns, "denials": denials
            .denials
            .iter()
            .map(|denial| Refusal::of(*component, denial, denials.now_ns).to_json())
            .collect::<Vec<_>>()}),
        );
    }
    if apps.is_empty() {
        line(&mut text, "there is no app on the device");
    } else if any {
        line(
            &mut text,
            "More on each: `nacre explain --component-id ID`. Other layers refuse without being counted here.",
        );
    } else {
        line(&mut text, OTHER_LAYERS);
    }
    Ok(Report::new(json!({"apps": told}), text))
}

/// Everything that is known of what was refused an app.
///
/// # Errors
/// What [`Device::get`] answers.
pub fn app(device: &Device, component: ComponentId) -> Result<Report, Failure> {
    let action = format!("read what {component} may do");
    let app: AppInfo = device.get(&action, &format!("/nacre/app/{component}"))?;
    let denials = read(device, component)?;
    let mut text = String::new();
    field(&mut text, "App", label(component, &app.name));
    if let Some(reason) = &app.refused {
        field(&mut text, "Not started", reason);
    }
    crate::package::list_grants(&mut text, &app.grants);
    let refusals: Vec<Refusal> = denials
        .denials
        .iter()
        .map(|denial| Refusal::of(component, denial, denials.now_ns))
        .collect();
    for refusal in &refusals {
        text.push('\n');
        refusal.explain(&mut text);
    }
    if refusals.is_empty() {
        line(
            &mut text,
            "Refused:            nothing by the security module",
        );
        line(&mut text, OTHER_LAYERS);
    }
    let refusals: Vec<Value> = refusals.iter().map(Refusal::to_json).collect();
    let json = json!({
        "componentId": component, "name": app.name, "refused": app.refused, "grants": app.grants,
        "denials": refusals,
    });
    Ok(Report::new(json, text))
}

/// Explains a line of the kernel's list or log, or one word of such a line.
///
/// # Errors
/// [`Failure::Unexplained`] for a text that is neither.
pub fn text(words: &[String]) -> Result<Report, Failure> {
    let joined = words.join(" ");
    let said = joined.trim();
    let mut text = String::new();
    if let Some(refusal) = Refusal::from_line(said) {
        refusal.explain(&mut text);
        return Ok(Report::new(refusal.to_json(), text));
    }
    let Some(subject) = Word::find(said) else {
        return Err(Failure::Unexplained {
            text: said.to_owned(),
        });
    };
    subject.explain(&mut text);
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let json = json!({"word": said, "explanation": lines});
    Ok(Report::new(json, text))
}

/// What the device knows of the refusals of an app.
fn read(device: &Device, component: ComponentId) -> Result<Denials, Failure> {
    let action = format!("read what {component} was refused");
    device.get(&action, &format!("/nacre/app/{component}/denials"))
}

/// An app with its name, if that is known.
fn label(component: ComponentId, name: &str) -> String {
    if name.is_empty() {
        component.to_string()
    } else {
        format!("{component} ({name})")
    }
}

/// One kind of refusal, from wherever it was told.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Refusal {
    component: ComponentId,
    told: Denial,
    /// The same in terms of this version of the tool; `None` when the device is newer and has new words.
    record: Option<DenialRecord>,
    when: When,
}

/// When it happened for the last time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    /// A line of the log stands for any number of refusals.
    Unknown,
    /// This long after the start of the device.
    AfterBoot(Duration),
    /// This long before now.
    Ago(Duration),
}

impl Refusal {
    /// As a device tells it.
    fn of(component: ComponentId, told: &Denial, now_ns: u64) -> Self {
        let key = told.key.as_deref().unwrap_or("-");
        let line = format!(
            "{component} {} {} {} {} {} {key}",
            told.count, told.last_ns, told.hook, told.object, told.errno
        );
        let ago = now_ns.saturating_sub(told.last_ns);
        Self {
            component,
            told: told.clone(),
            record: line.parse().ok(),
            when: When::Ago(Duration::from_nanos(ago)),
        }
    }

    /// From a line of the kernel's list, or of its log.
    fn from_line(line: &str) -> Option<Self> {
        if let Ok(record) = line.parse::<DenialRecord>() {
            let last = Duration::from_nanos(record.last);
            return Some(Self::from_record(record, When::AfterBoot(last)));
        }
        // [   12.345678] nacre: COMPONENT: HOOK OBJECT denied (ERRNO), key KEY
        let (_, rest) = line.split_once(LOG_PREFIX)?;
        let (component, rest) = rest.split_once(": ")?;
        let (what, rest) = rest.split_once(" denied (")?;
        let (errno, key) = rest.split_once("), key ")?;
        let record = format!("{component} 1 0 {what} {errno} {key}");
        let record = record.parse().ok()?;
        Some(Self::from_record(record, When::Unknown))
    }

    fn from_record(record: DenialRecord, when: When) -> Self {
        Self {
            component: record.component,
            told: Denial {
                count: record.count,
                last_ns: record.last,
                hook: record.hook.as_str().to_owned(),
                object: record.class.as_str().to_owned(),
                errno: record.errno.name().to_owned(),
                key: record.key.map(|key| key.key().to_owned()),
            },
            record: Some(record),
            when,
        }
    }

    /// What was tried, in words where they are known.
    fn attempt(&self) -> String {
        match &self.record {
            Some(record) => record.attempt().to_owned(),
            None => format!("{} on {}", self.told.hook, self.told.object),
        }
    }

    /// How often, when, and with which error.
    fn how_often(&self) -> String {
        let times = match self.told.count {
            1 => "once".to_owned(),
            count => format!("{count} times"),
        };
        let Denial { errno, .. } = &self.told;
        match self.when {
            When::Unknown => format!("with {errno}"),
            When::AfterBoot(time) => {
                format!("{times} with {errno}, last {} after the start", span(time))
            }
            When::Ago(time) => format!("{times} with {errno}, last {} ago", span(time)),
        }
    }

    /// What to do about it.
    fn next_step(&self) -> String {
        match (&self.record, &self.told.key) {
            (Some(record), _) => match record.key {
                Some(key) => format!(
                    "{} in app_manifest.json, pack and deploy again",
                    key.advice()
                ),
                None => Rule::of(record.class, record.hook).instead.to_owned(),
            },
            (None, Some(key)) => format!("see {key:?} in the manifest's Capabilities"),
            (None, None) => "use a nacre of the device's version, which knows this".to_owned(),
        }
    }

    /// Attempt, number, time and key.
    fn in_one_line(&self) -> String {
        let key = match (&self.record, &self.told.key) {
            (Some(DenialRecord { key: Some(key), .. }), _) => key.advice().to_string(),
            (_, Some(key)) => format!("see {key:?} in the manifest's Capabilities"),
            (_, None) => "no key of the manifest allows it".to_owned(),
        };
        format!("{}: {}; {key}", self.attempt(), self.how_often())
    }

    fn explain(&self, text: &mut String) {
        field(text, "Tried", self.attempt());
        field(text, "Refused", self.how_often());
        let by = match &self.record {
            Some(record) if record.hook == Hook::Broker => "the application manager",
            _ => "the security module of the kernel",
        };
        let Denial { hook, object, .. } = &self.told;
        field(text, "By", format!("{by}, in {hook} ({object})"));
        if let Some(record) = &self.record {
            field(text, "Rule", Rule::of(record.class, record.hook).text);
        }
        field(
            text,
            "Manifest key",
            self.told.key.as_deref().unwrap_or("none"),
        );
        field(text, "Next step", self.next_step());
    }

    fn to_json(&self) -> Value {
        let mut json = json!(self.told);
        if let Some(object) = json.as_object_mut() {
            object.insert("componentId".to_owned(), json!(self.component));
            object.insert("attempt".to_owned(), self.attempt().into());
            object.insert("nextStep".to_owned(), self.next_step().into());
            if let Some(record) = &self.record {
                let rule = Rule::of(record.class, record.hook);
                object.insert("rule".to_owned(), rule.text.into());
            }
            if self.when == When::Unknown {
                object.remove("count");
                object.remove("lastNs");
            }
        }
        json
    }
}

/// A time in the largest unit that says enough.
fn span(time: Duration) -> String {
    match time.as_secs() {
        0 => format!("{} ms", time.as_millis()),
        seconds @ 1..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3600),
    }
}

/// What the security module goes by.
struct Rule {
    /// The rule.
    text: &'static str,
    /// What to do instead, where no key of the manifest helps.
    instead: &'static str,
}

impl Rule {
    /// The rule on what a request is about, more exactly where the hook says more.
    fn of(class: ObjectClass, hook: Hook) -> Self {
        let (text, instead) = match class {
            ObjectClass::File => (
                "a program is executed from the app's own signed package or from the system, and from nowhere else",
                "put the program into the package and deploy that",
            ),
            ObjectClass::Memory => (
                "what is executed was never writable, will never be, and comes from the app's own package or the system",
                "compile ahead of time: there is no place for just-in-time compilers, trampolines on the stack or plug-ins from storage",
            ),
            ObjectClass::Process => (
                "an app signals its own processes only, and traces them in development mode only",
                "talk to other apps over the ways that the manifest opens",
            ),
            ObjectClass::ProcessGroup => (
                "process groups and sessions are for identities with job control, which no app has",
                "start threads or child processes without setpgid and setsid",
            ),
            ObjectClass::Capability => (
                "an app has no privilege of Linux but those that a key of its manifest opens",
                "do without the privilege; no key opens this one",
            ),
            ObjectClass::Clock => (
                "the clock is set with SystemTime only",
                "ask for it with \"SystemTime\"",
            ),
            ObjectClass::Mount
            | ObjectClass::Namespace
            | ObjectClass::KernelLog
            | ObjectClass::Quota
            | ObjectClass::Bpf
            | ObjectClass::Perf
            | ObjectClass::Key
            | ObjectClass::KernelCode => (
                "apps do not administer the machine: their view of it is made before they start",
                "remove the call; no manifest allows it",
            ),
            ObjectClass::DeviceNode | ObjectClass::SetId => (
                "apps make no device nodes and no set-id files",
                "remove the call; devices come with the keys for peripherals",
            ),
            ObjectClass::Tcp | ObjectClass::Udp => (
                match hook {
                    Hook::SocketCreate => {
                        "an app makes IP sockets when its manifest has a key for the network"
                    }
                    Hook::SocketBind | Hook::SocketListen => {
                        "an app listens on the ports that its manifest lists for the protocol"
                    }
                    Hook::SocketConnect | Hook::SocketSendmsg => {
                        "an app reaches the addresses that its manifest lists"
                    }
                    _ => {
                        "an app reaches the addresses of AllowedConnections, and listens on the ports of AllowedTcpServerPorts and AllowedUdpServerPorts"
                    }
                },
                "give a valid address",
            ),
            ObjectClass::PacketHeader => (
                "packets of an app go straight to the addresses that its manifest lists",
                "remove the option, or leave it out of the message; no manifest allows it",
            ),
            ObjectClass::Unix | ObjectClass::Descriptor => (
                "local sockets and open files are shared within an app, and between two apps that list each other",
                "exchange with the app's own processes, or with apps that list this one",
            ),
            ObjectClass::Intercore => (
                "an app exchanges messages with apps on the real-time cores when each lists the other",
                "name the real-time app under AllowedApplicationConnections, and this app in its manifest",
            ),
            ObjectClass::Gpio => (
                "an app gets the pins that its manifest lists",
                "take a pin that the chip has",
            ),
            ObjectClass::Socket => (
                "apps have local sockets, TCP and UDP",
                "use TCP or UDP: no app has raw, packet or netlink sockets",
            ),
            ObjectClass::Identity | ObjectClass::Policy => (
                "identities and rules are the application manager's; an app reads its own identity",
                "remove the call; the manifest is the place to ask for more",
            ),
            _ => (
                "the kernel keeps few kinds of refusal for an app, and counts the others here",
                "mend the other refusals first, and look again",
            ),
        };
        Self { text, instead }
    }
}

/// A word that can stand in a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    Hook(Hook),
    Object(ObjectClass),
    Errno(&'static Wall),
    Key(Capability),
}

/// An error that an app meets, and who may have given it.
#[derive(Debug, PartialEq, Eq)]
struct Wall {
    errno: &'static str,
    from: &'static [&'static str],
}

/// The errors by which the layers refuse.
const WALLS: &[Wall] = &[
    Wall {
        errno: "EPERM",
        from: &[
            "the filter of system calls: a call that no app, or not this app, may make, such as mount or ptrace",
            "the security module: what the manifest does not grant, such as connecting to an address that is not listed",
            "the kernel itself: no app has a capability of Linux",
        ],
    },
    Wall {
        errno: "EACCES",
        from: &[
            "the security module: code that is not verified or was written, a port that is not listed, the identity of another process",
            "Landlock: a path or a TCP port outside of what the manifest grants",
            "the refusal of executable memory (MDWE)",
            "the application manager: a pin that the manifest does not list",
        ],
    },
    Wall {
        errno: "ENOSYS",
        from: &[
            "the filter of system calls: a call that the device does not have, such as bpf or io_uring_setup",
        ],
    },
    Wall {
        errno: "EROFS",
        from: &["the mounts: the package, /proc and the root are read-only"],
    },
    Wall {
        errno: "ENOENT",
        from: &["the mounts: it is not there for this app, such as /sys, or a file of another app"],
    },
    Wall {
        errno: "ENETUNREACH",
        from: &["the network namespace: there is no interface"],
    },
    Wall {
        errno: "EFBIG",
        from: &["the quota: the mutable file would grow beyond MutableStorage.SizeKB"],
    },
    Wall {
        errno: "EAGAIN",
        from: &["the control group: no more processes or threads"],
    },
    Wall {
        errno: "EINVAL",
        from: &["the security module: an address that is none"],
    },
];

impl Word {
    /// The word, exactly as it is written; errors in either letter case.
    fn find(text: &str) -> Option<Self> {
        let key = text.trim_matches('"');
        let key = key.strip_prefix("Capabilities.").unwrap_or(key);
        let errno = WALLS
            .iter()
            .find(|wall| wall.errno.eq_ignore_ascii_case(text));
        Hook::from_text(text)
            .map(Self::Hook)
            .or_else(|| errno.map(Self::Errno))
            .or_else(|| Capability::from_key(key).map(Self::Key))
            .or_else(|| ObjectClass::from_text(text).map(Self::Object))
    }

    fn explain(self, text: &mut String) {
        match self {
            Self::Hook(hook) => {
                field(text, "Hook", hook);
                field(
                    text,
                    "Asked when",
                    format!("an app wants to {}", hook.in_words()),
                );
                field(text, "Layer", "the security module of the kernel");
                field(
                    text,
                    "Next step",
                    "see `nacre explain --component-id ID` for what an app was refused there",
                );
            }
            Self::Object(class) => {
                let rule = Rule::of(class, Hook::Any);
                field(text, "Object", class);
                field(text, "About", class.in_words());
                field(text, "Rule", rule.text);
                field(text, "Without a key", rule.instead);
            }
            Self::Errno(wall) => {
                field(text, "Error", wall.errno);
                line(text, "From one of:");
                for from in wall.from {
                    line(text, format_args!("  {from}"));
                }
                field(
                    text,
                    "Next step",
                    "see `nacre device app denials` for what the security module refused",
                );
            }
            Self::Key(key) => {
                field(
                    text,
                    "Key",
                    format!("{key} in Capabilities of app_manifest.json"),
                );
                field(text, "To ask for it", key.advice());
                field(
                    text,
                    "Next step",
                    "check the manifest with `nacre manifest check`, pack and deploy again",
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const APP: &str = "2f074b0f-d99d-4692-82d9-ef93a7d6463c";

    fn explained(words: &str) -> Report {
        text(&[words.to_owned()]).unwrap()
    }

    #[test]
    fn lines_of_the_list_and_of_the_log_are_explained_with_rule_and_key() {
        let list = format!("{APP} 3 81234567890 socket_connect tcp EPERM AllowedConnections");
        let log = format!(
            "[   12.345678] nacre: {APP}: socket_connect tcp denied (EPERM), key AllowedConnections"
        );
        for line in [list.as_str(), log.as_str(), log.split_once("] ").unwrap().1] {
            let Report { text, json } = explained(line);
            for part in [
                "connect to an address by TCP",
                "EPERM",
                "the security module",
                "AllowedConnections",
                "add the host to",
            ] {
                assert!(text.contains(part), "{part}: {text}");
            }
            assert_eq!(json["componentId"], APP);
            assert_eq!(json["key"], "AllowedConnections");
        }
        assert!(explained(&list).text.contains("3 times"));
        assert!(explained(&list).text.contains("81 s after the start"));
        assert_eq!(explained(&list).json["count"], 3);
        // A line of the log does not say how often.
        assert!(!explained(&log).text.contains("once"));
        assert_eq!(explained(&log).json.get("count"), None);
    }

    #[test]
    fn a_refusal_without_a_key_says_what_to_do_instead() {
        let line = format!("{APP} 1 5 mmap_file memory EACCES -");
        let text = explained(&line).text;
        assert!(text.contains("compile ahead of time"), "{text}");
        assert!(text.contains("Manifest key:       none"), "{text}");
    }

    #[test]
    fn every_hook_object_error_and_key_is_explained_and_other_words_are_not() {
        let hooks = Hook::ALL.iter().map(|hook| hook.as_str());
        let objects = ObjectClass::ALL.iter().map(|class| class.as_str());
        let errors = WALLS.iter().map(|wall| wall.errno);
        let keys = Capability::ALL.iter().map(|key| key.key());
        for word in hooks.chain(objects).chain(errors).chain(keys) {
            assert!(explained(word).text.lines().count() >= 3, "{word}");
        }
        for word in ["eperm", "\"SystemTime\"", "Capabilities.SystemTime"] {
            explained(word);
        }
        for word in ["", "EWHAT", "socket", "open", "systemtime", APP] {
            let explained = text(&[word.to_owned()]);
            // `socket` is an object, too.
            assert_eq!(explained.is_ok(), word == "socket", "{word}");
        }
    }

    #[test]
    fn lines_that_are_almost_refusals_are_none() {
        for line in [
            format!("{APP} 3 5 socket_connect tcp EPERM"),
            format!("{APP} 3 5 socket_conect tcp EPERM -"),
            format!("nacre: {APP}: socket_connect tcp denied (EPERM)"),
            format!("nacre: {APP}: socket_connect denied (EPERM), key -"),
            format!("nacre: app {APP} (x): started"),
        ] {
            let failure = text(&[line]).unwrap_err();
            assert!(failure.next_step().is_some(), "{failure}");
        }
    }

    #[test]
    fn words_of_a_newer_device_are_shown_as_they_are() {
        let told = Denial {
            count: 1,
            last_ns: 0,
            hook: "time_travel".to_owned(),
            object: "past".to_owned(),
            errno: "EPERM".to_owned(),
            key: Some("TimeMachine".to_owned()),
        };
        let refusal = Refusal::of(APP.parse().unwrap(), &told, 3_000_000_000);
        let line = refusal.in_one_line();
        assert!(
            line.starts_with("time_travel on past: once with EPERM, last 3 s ago"),
            "{line}"
        );
        assert!(line.contains("\"TimeMachine\""), "{line}");
        let told = Denial { key: None, ..told };
        let refusal = Refusal::of(APP.parse().unwrap(), &told, 0);
        assert!(refusal.next_step().contains("version"), "{refusal:?}");
    }

    #[test]
    fn times_have_a_fitting_unit() {
        for (seconds, words) in [
            (0.25, "250 ms"),
            (1.0, "1 s"),
            (119.0, "119 s"),
            (120.0, "2 min"),
            (7199.0, "119 min"),
            (7200.0, "2 h"),
        ] {
            assert_eq!(span(Duration::from_secs_f64(seconds)), words);
        }
    }
}
