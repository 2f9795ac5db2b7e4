# SPDX-License-Identifier: Apache-2.0 OR MIT
"""All suites, cheap ones first."""

from suites import apps, attacks, bench, boot, clients, demo, hostile, host, install, kselftest, layers, limits, lsm, storage

SUITES = [
    host.SUITE,
    boot.SUITE,
    apps.SUITE,
    limits.SUITE,
    storage.SUITE,
    install.SUITE,
    hostile.SUITE,
    lsm.SUITE,
    attacks.SUITE,
    layers.SUITE,
    clients.SUITE,
    kselftest.SUITE,
    bench.SUITE,
    demo.SUITE,
]
