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

BINDGEN_VERSION=0.72.1
CARGO_FUZZ_VERSION=0.13.2
CARGO_MUTANTS_VERSION=27.1.0

# Oldest versions that the kernel and user space are known to build with.
LLVM_MINIMUM=19
RUSTC_MINIMUM=1.85
