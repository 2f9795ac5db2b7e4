// SPDX-License-Identifier: Apache-2.0 OR MIT

//! The command line of the device API.

use std::ffi::OsString;
use std::os::fd::RawFd;
use std::path::PathBuf;

/// What `--help` prints.
pub const HELP: &str = "\
Usage: device-api [--listen-fd N] [--control-fd N] [--certificate FILE] [--key FILE]

Serves the device REST API over TLS, for the application manager that starts it.

  --listen-fd N       the listening socket, open at this number (default 3)
  --control-fd N      the manager's control socket, open at this number (default 4)
  --certificate FILE  certificate chain, PEM (default /etc/nacre/device-api.crt.pem)
  --key FILE          its ECDSA key, PEM (default /etc/nacre/device-api.key.pem)
";

/// The options, with the defaults of the device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Number of the listening socket.
    pub listen: RawFd,
    /// Number of the control socket.
    pub control: RawFd,
    /// File with the certificate chain.
    pub certificate: PathBuf,
    /// File with the private key.
    pub key: PathBuf,
    /// Print [`HELP`] and do nothing.
    pub help: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: 3,
            control: 4,
            certificate: "/etc/nacre/device-api.crt.pem".into(),
            key: "/etc/nacre/device-api.key.pem".into(),
            help: false,
        }
    }
}

/// A command line that cannot be understood.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OptionsError {
    /// No such option.
    #[error("unknown option {0:?}: see --help")]
    Unknown(OsString),
    /// The option stands at the end without its value.
    #[error("{0} needs a value: see --help")]
    Valueless(&'static str),
    /// The value is not the number of a descriptor.
    #[error("{0} needs the number of an open descriptor, not {1:?}")]
    NoDescriptor(&'static str, OsString),
}

impl Options {
    /// Reads arguments, the program's own name left out.
    ///
    /// # Errors
    /// [`OptionsError`] for the first argument that cannot be understood.
    pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, OptionsError> {
        let mut options = Self::default();
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let mut value = |name| arguments.next().ok_or(OptionsError::Valueless(name));
            match argument.to_str() {
                Some("--listen-fd") => options.listen = descriptor("--listen-fd", &mut value)?,
                Some("--control-fd") => options.control = descriptor("--control-fd", &mut value)?,
                Some("--certificate") => options.certificate = value("--certificate")?.into(),
                Some("--key") => options.key = value("--key")?.into(),
                Some("--help" | "-h") => options.help = true,
                _ => return Err(OptionsError::Unknown(argument)),
            }
        }
        Ok(options)
    }
}

fn descriptor(
    name: &'static str,
    value: &mut dyn FnMut(&'static str) -> Result<OsString, OptionsError>,
) -> Result<RawFd, OptionsError> {
    let text = value(name)?;
    text.to_str()
        .and_then(|text| text.parse().ok())
        .filter(|number| *number >= 0)
        .ok_or(OptionsError::NoDescriptor(name, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options, OptionsError> {
        Options::parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn no_options_are_those_of_the_device() {
        let options = parse("").unwrap();
        assert_eq!((options.listen, options.control), (3, 4));
    }

    #[test]
    fn options_take_their_values() {
        let line = "--listen-fd 5 --control-fd 0 --certificate a --key b";
        let expected = Options {
            listen: 5,
            control: 0,
            certificate: "a".into(),
            key: "b".into(),
            help: false,
        };
        assert_eq!(parse(line), Ok(expected));
        assert!(parse("-h").unwrap().help);
    }

    #[test]
    fn anything_else_is_refused() {
        for line in [
            "x",
            "--listen",
            "--listen-fd",
            "--listen-fd x",
            "--control-fd -1",
            "--key",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
