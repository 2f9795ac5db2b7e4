#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Counts instructions and bytes, compares them with tests/bench/baseline.json, and writes docs/prices.md and
# out/bench/bench.json. BASELINE=1 makes what was counted the new baseline; with --no-page the page stays as it is.
# With BOARD=mt3620 it counts what only that board has, and compares it with tests/bench/baseline-mt3620.json.
. "$(dirname "$0")/lib.sh"
. "$TOP/scripts/pins.sh"
. "$TOP/scripts/tools.sh"

target=${CARGO_TARGET_DIR:-$OUT/cargo/device}

programs() {
	# shellcheck disable=SC1091
	. "$OUT/sdk/env.sh"
	cargo build --manifest-path "$TOP/tests/bench/Cargo.toml" --locked --target-dir "$target" --release --target "$TARGET" \
		-Zbuild-std=std,panic_abort -Zbuild-std-features=optimize_for_size
	mkdir -p "$OUT/bench"
	cp "$target/$TARGET/release/bench" "$OUT/bench/bench"
	"$OUT/sdk/bin/armv7-nacre-linux-musleabihf-clang" -nostdlib -static -Wl,--build-id=none,-z,noseparate-code -s \
		-o "$OUT/bench/tiny" "$TOP/tests/bench/src/tiny.S"
}

long bench "Building what counts" programs
if [ "$BOARD" = mt3620 ]; then
	"$TOP/scripts/realtime.sh" "$TOP/tests/realtime"
	VARIANT=twins "$TOP/scripts/kernel.sh"
else
	VARIANT=plain "$TOP/scripts/kernel.sh"
fi
export CLANG CXXFILT=${LLVM_AR/llvm-ar/llvm-cxxfilt} PYTHONPATH=$TOP/tests/harness
exec python3 "$TOP/tests/bench/measure.py" "$@"
