# SPDX-License-Identifier: Apache-2.0 OR MIT
# Everything that is pinned: versions, and the sha256 of each source archive by where it comes from.
# shellcheck shell=bash disable=SC2034

LINUX_VERSION=6.18.15
LINUX_URL=https://cdn.kernel.org/pub/linux/kernel/v6.x/linux-$LINUX_VERSION.tar.xz
LINUX_SHA256=7c716216c3c4134ed0de69195701e677577bbcdd3979f331c182acd06bf2f170
# The distribution's pool carries a repacked archive, without non-free files.
LINUX_POOL=pool/main/l/linux/linux_$LINUX_VERSION.orig.tar.xz
LINUX_POOL_SHA256=fdf4c4d487c95b17a41cb38003faef86669e532a44fe702eb31a3390b6a60cca

MUSL_VERSION=1.2.6
MUSL_URL=https://musl.libc.org/releases/musl-$MUSL_VERSION.tar.gz
MUSL_SHA256=d585fd3b613c66151fc3249e8ed44f77020cb5e6c1e635a616d3f9f82460512a
MUSL_POOL=pool/main/m/musl/musl_$MUSL_VERSION.orig.tar.gz
MUSL_POOL_SHA256=$MUSL_SHA256

# The emulator of boards that have board/<name>/qemu; others run on that of the distribution.
QEMU_VERSION=7.2.0
QEMU_URL=https://download.qemu.org/qemu-$QEMU_VERSION.tar.xz
QEMU_SHA256=5b49ce2687744dad494ae90a898c52204a3406e84d072482a1e1be854eeb2157
# Repacked, without firmware.
QEMU_POOL=pool/main/q/qemu/qemu_7.2+dfsg.orig.tar.xz
QEMU_POOL_SHA256=91aca71520040edc40b8d437aa3004dae614f58e286cf653ee8996c07af2962f

BINDGEN_VERSION=0.72.1
CARGO_FUZZ_VERSION=0.13.2
CARGO_MUTANTS_VERSION=27.1.0

# The GPIO tools, for tests only.
LIBGPIOD_VERSION=2.2.1
LIBGPIOD_URL=https://mirrors.edge.kernel.org/pub/software/libs/libgpiod/libgpiod-$LIBGPIOD_VERSION.tar.xz
LIBGPIOD_SHA256=0e948049c309b87c220fb24ee0d605d7cd5b72f22376e608470903fffa2d4b18
LIBGPIOD_POOL=pool/main/libg/libgpiod/libgpiod_$LIBGPIOD_VERSION.orig.tar.xz
LIBGPIOD_POOL_SHA256=$LIBGPIOD_SHA256

# Oldest versions that the kernel and user space are known to build with.
LLVM_MINIMUM=19
RUSTC_MINIMUM=1.88
