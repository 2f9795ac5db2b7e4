#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Fuzzes one parser for a while: fuzz.sh TARGET SECONDS. New inputs stay in out/fuzz; findings end with their file named.
. "$(dirname "$0")/lib.sh"
. "$TOP/scripts/pins.sh"

fuzz=$TOP/userspace/fuzz
targets=$(cd "$fuzz/fuzz_targets" && basename -s .rs -- *.rs | tr '\n' ' ')
target=${1:-none}
seconds=${2:-60}
[ -f "$fuzz/fuzz_targets/$target.rs" ] || die "no fuzz target '$target'. Say: make fuzz T=NAME TIME=SECONDS, with NAME one of: $targets"
[[ $seconds =~ ^[0-9]+$ ]] || die "TIME=$seconds is not a number of seconds"

install_cargo_fuzz() {
	[ -x "$CACHE/bin/cargo-fuzz" ] && return
	long setup-fuzz "Building cargo-fuzz $CARGO_FUZZ_VERSION" \
		cargo install cargo-fuzz --locked --version "$CARGO_FUZZ_VERSION" --root "$CACHE" --target-dir "$OUT/cargo/cargo-fuzz"
}
locked cargo-fuzz install_cargo_fuzz

found=$OUT/fuzz/$target
mkdir -p "$found/corpus" "$found/artifacts"
# The packaged compiler is no nightly one and has no address sanitizer; coverage needs only this word.
export RUSTC_BOOTSTRAP=1
cd "$fuzz"
"$CACHE/bin/cargo-fuzz" run -s none --fuzz-dir "$fuzz" --target-dir "$OUT/cargo/fuzz" "$target" "$found/corpus" "$fuzz/corpus/$target" -- \
	-max_total_time="$seconds" -artifact_prefix="$found/artifacts/" -print_final_stats=1
say "No finding in $seconds s. New inputs are in ${found#"$TOP"/}/corpus; commit those that are worth replaying to userspace/fuzz/corpus/$target."
