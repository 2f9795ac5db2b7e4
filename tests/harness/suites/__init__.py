# SPDX-License-Identifier: Apache-2.0 OR MIT
"""All suites, cheap ones first."""

from suites import apps, attacks, boot, clients, demo, hostile, host, install, layers, limits, storage

SUITES = [
    host.SUITE,
    boot.SUITE,
    apps.SUITE,
    limits.SUITE,
    storage.SUITE,
    install.SUITE,
    hostile.SUITE,
    attacks.SUITE,
    layers.SUITE,
    clients.SUITE,
    demo.SUITE,
]
