#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Builds user space: userspace.sh device (out/device/*) or userspace.sh host (out/host/nacre).
. "$(dirname "$0")/lib.sh"
. "$TOP/scripts/pins.sh"
. "$TOP/scripts/tools.sh"

cargo_device() {
	# shellcheck disable=SC1091
	. "$OUT/sdk/env.sh"
	cargo build --manifest-path "$TOP/Cargo.toml" --locked --target-dir "$OUT/cargo/device" \
		--release --target "$TARGET" -Zbuild-std=std,panic_abort -Zbuild-std-features=optimize_for_size \
		-p appman -p device-api
}

cargo_host() {
	cargo build --manifest-path "$TOP/Cargo.toml" --locked --target-dir "$OUT/cargo/host" --profile host -p cli
}

case ${1:?usage: userspace.sh device|host} in
device)
	long userspace "Building user space for the device" cargo_device
	mkdir -p "$OUT/device"
	rsync -c "$OUT/cargo/device/$TARGET/release/"{appman,device-api} "$OUT/device/"
	;;
host)
	long host-tools "Building the nacre command line tool" cargo_host
	mkdir -p "$OUT/host"
	rsync -c "$OUT/cargo/host/host/nacre" "$OUT/host/"
	;;
*) die "unknown part '$1': device or host" ;;
esac
