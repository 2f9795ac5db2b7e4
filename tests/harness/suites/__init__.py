# SPDX-License-Identifier: Apache-2.0 OR MIT
"""All suites, cheap ones first."""

from places import BOARD
from suites import apps, attacks, bench, boot, clients, demo, gpio, hostile, host, image, install, intercore, kselftest, layers, limits, lsm, mailbox, mt3620, realtime, rtapps, storage

# Of the board with cores of its own: what is different on it, and that the OS and its apps run there as elsewhere.
MT3620 = [
    mt3620.SUITE,
    mailbox.SUITE,
    gpio.SUITE,
    realtime.SUITE,
    intercore.SUITE,
    boot.SUITE,
    apps.SUITE,
    rtapps.SUITE,
    layers.SUITE,
    image.SUITE,
    demo.SUITE,
]

EVERYTHING = [
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
    image.SUITE,
    kselftest.SUITE,
    bench.SUITE,
    demo.SUITE,
]

SUITES = MT3620 if BOARD == "mt3620" else EVERYTHING
