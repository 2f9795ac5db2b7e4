// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Serves a device without hardware, for trying clients: `fake-device ADDRESS:PORT`.

use std::error::Error;
use std::net::TcpListener;
use std::path::Path;

use device_api::fake::FakeManager;
use device_api::service::Service;
use device_api::session::Limits;
use device_api::{server, tls};

fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1);
    let address = address.ok_or("usage: fake-device ADDRESS:PORT")?;
    let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../board/common/keys");
    let config = tls::configuration(
        &keys.join("device-api.crt.pem"),
        &keys.join("device-api.key.pem"),
    )?;
    let listener = TcpListener::bind(address)?;
    println!("serving on {}", listener.local_addr()?);
    let service = Service::new(FakeManager::new()?);
    for thread in server::start(listener, config, service, Limits::DEVICE)? {
        if let Ok(error) = thread.join() {
            return Err(error.into());
        }
    }
    Ok(())
}
