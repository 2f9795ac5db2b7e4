#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Builds real-time apps for the MT3620: realtime.sh DIRECTORY..., each a cargo package, into out/realtime/NAME.
. "$(dirname "$0")/lib.sh"
. "$TOP/scripts/pins.sh"
. "$TOP/scripts/tools.sh"

[ $# -gt 0 ] || die "usage: realtime.sh DIRECTORY..., each with the Cargo.toml of real-time apps"
target=thumbv7em-none-eabihf

build() { # DIRECTORY
	cargo build --manifest-path "$1/Cargo.toml" --locked --target-dir "$OUT/cargo/realtime" --release --target "$target" \
		-Zbuild-std=core -Zunstable-options --artifact-dir "$OUT/realtime" --bins
}

# The packaged compiler is no nightly one; it needs this word to build its own library for another target.
export RUSTC_BOOTSTRAP=1
export CARGO_TARGET_THUMBV7EM_NONE_EABIHF_LINKER=$LLD
export CARGO_TARGET_THUMBV7EM_NONE_EABIHF_RUSTFLAGS="-Clinker-flavor=ld.lld -Clink-arg=-Trealtime.ld -Clink-arg=--nmagic --remap-path-prefix=$TOP=/nacre --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo"
for directory; do
	[ -f "$directory/Cargo.toml" ] || die "$directory has no Cargo.toml"
	long "realtime-$(basename "$directory")" "Building the real-time apps of $directory" build "$directory"
done
