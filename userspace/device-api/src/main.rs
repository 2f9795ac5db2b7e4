// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Starts the device API on the sockets that the application manager hands over, confined by it already.

use std::convert::Infallible;
use std::error::Error;
use std::net::TcpListener;
use std::os::fd::{OwnedFd, RawFd};
use std::process::ExitCode;

use control::Channel;
use device_api::manager::ControlSocket;
use device_api::options::{HELP, Options};
use device_api::server;
use device_api::service::Service;
use device_api::session::Limits;
use device_api::tls;
use sys::descriptor::take_inherited;

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args_os().skip(1)) {
        Ok(options) => options,
        Err(error) => {
            eprintln!("device-api: {error}");
            return ExitCode::from(2);
        }
    };
    if options.help {
        print!("{HELP}");
        return ExitCode::SUCCESS;
    }
    let Err(error) = run(&options);
    eprint!("device-api: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        eprint!(": {error}");
        cause = error.source();
    }
    eprintln!();
    ExitCode::FAILURE
}

fn run(options: &Options) -> Result<Infallible, Box<dyn Error>> {
    let tls = tls::configuration(&options.certificate, &options.key)?;
    let listener = TcpListener::from(take(options.listen)?);
    listener.set_nonblocking(false)?;
    let control = Channel::new(take(options.control)?);
    let service = Service::new(ControlSocket::new(control));
    let threads = server::start(listener, tls, service, Limits::DEVICE)?;
    for thread in threads {
        if let Ok(error) = thread.join() {
            return Err(error.into());
        }
    }
    Err("all threads ended".into())
}

/// Takes over a socket at the number that was agreed on.
fn take(number: RawFd) -> Result<OwnedFd, String> {
    take_inherited(number).map_err(|error| format!("descriptor {number} is no socket: {error}"))
}
