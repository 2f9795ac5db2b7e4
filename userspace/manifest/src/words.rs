// SPDX-License-Identifier: Apache-2.0 OR MIT

//! A grant in plain words, for people who decide whether to install an app.

use policy::{Capability, Grant, PeripheralKind, PowerControl};

/// One line for each thing that the app may do, with the key that grants it. No line means that the app
/// may compute and write to its log, and nothing else.
#[must_use]
pub fn grant_in_words(grant: &Grant<'_>) -> Vec<String> {
    Capability::ALL
        .iter()
        .filter(|capability| grant.has(**capability))
        .flat_map(|&capability| {
            things(grant, capability)
                .into_iter()
                .map(move |thing| format!("may {thing} ({capability})"))
        })
        .collect()
}

/// What one capability lets the app do.
fn things(grant: &Grant<'_>, capability: Capability) -> Vec<String> {
    if let Some(kind) = PeripheralKind::of(capability) {
        return grant
            .peripherals
            .of_kind(kind)
            .map(|peripheral| format!("use {}{}", noun(kind), peripheral.number()))
            .collect();
    }
    let thing = match capability {
        Capability::AllowedApplicationConnections => {
            let peers = grant.peers.iter();
            return peers
                .map(|peer| {
                    format!("exchange messages with app {peer}, if that app lists this one")
                })
                .collect();
        }
        Capability::AllowedConnections => {
            let hosts = grant.hosts.iter();
            return hosts.map(|host| format!("connect to {host}")).collect();
        }
        Capability::AllowedTcpServerPorts => {
            let ports = grant.tcp_ports.iter();
            return ports
                .map(|port| format!("listen on TCP port {port}"))
                .collect();
        }
        Capability::AllowedUdpServerPorts => {
            let ports = grant.udp_ports.iter();
            return ports
                .map(|port| format!("receive on UDP port {port}"))
                .collect();
        }
        Capability::PowerControls => {
            let controls = grant.power.iter();
            return controls.map(|control| power(control).to_owned()).collect();
        }
        Capability::MutableStorage => {
            return vec![format!("keep {} KB across restarts", grant.storage_kb)];
        }
        Capability::DeviceAuthentication => {
            let tenant = grant.tenant.unwrap_or_default();
            return vec![format!(
                "prove the identity of the device to tenant {tenant}"
            )];
        }
        Capability::CertStore => "read and change the certificate store",
        Capability::DhcpService => "run the DHCP server",
        Capability::EnterpriseWifiConfig => "read and change Wi-Fi settings for EAP-TLS",
        Capability::HardwareAddressConfig => "set the hardware address of the Ethernet interface",
        Capability::HeapMemStats => "read heap statistics",
        Capability::NetworkConfig => "configure network interfaces and the proxy",
        Capability::ReadNetworkProxyConfig => "read the proxy settings",
        Capability::ResetMemoryWatermarks => "reset the peak memory counters",
        Capability::SntpService => "run the SNTP server",
        Capability::SoftwareUpdateDeferral => "defer software updates",
        Capability::SystemEventNotifications => "be told about events of the system",
        Capability::SystemTime => "set the clock",
        Capability::TimeSyncConfig => "configure time synchronisation",
        Capability::WifiConfig => "read and change Wi-Fi settings",
        _ => return Vec::new(),
    };
    vec![thing.to_owned()]
}

/// What a peripheral is called in a sentence, before its number.
fn noun(kind: PeripheralKind) -> &'static str {
    match kind {
        PeripheralKind::Adc => "analogue-to-digital controller ",
        PeripheralKind::ExternalInterrupt => "external interrupt ",
        PeripheralKind::Gpio => "pin ",
        PeripheralKind::I2cMaster => "I2C controller ISU",
        PeripheralKind::I2sSubordinate => "I2S controller ",
        PeripheralKind::Pwm => "PWM controller ",
        PeripheralKind::SpiMaster => "SPI controller ISU",
        PeripheralKind::Uart => "UART ISU",
    }
}

/// What a power control lets the app do.
fn power(control: PowerControl) -> &'static str {
    match control {
        PowerControl::ForceReboot => "restart the device",
        PowerControl::ForcePowerDown => "power the device down",
        PowerControl::SetPowerProfile => "choose the power profile",
    }
}
