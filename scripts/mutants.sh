#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Breaks the decision core in hundreds of small ways and runs its tables on each: mutants.sh [ARGUMENTS OF cargo mutants].
# Fails when a broken one passes. Arguments narrow the run, such as: -f rules.rs, or --shard 0/4.
. "$(dirname "$0")/lib.sh"
. "$TOP/scripts/pins.sh"

install_cargo_mutants() {
	[ -x "$CACHE/bin/cargo-mutants-$CARGO_MUTANTS_VERSION" ] && return
	long setup-mutants "Building cargo-mutants $CARGO_MUTANTS_VERSION" \
		cargo install cargo-mutants --locked --version "$CARGO_MUTANTS_VERSION" --root "$CACHE/mutants-root" --target-dir "$OUT/cargo/cargo-mutants"
	mkdir -p "$CACHE/bin"
	mv "$CACHE/mutants-root/bin/cargo-mutants" "$CACHE/bin/cargo-mutants-$CARGO_MUTANTS_VERSION"
	rm -rf "$CACHE/mutants-root" "$OUT/cargo/cargo-mutants"
}
locked cargo-mutants install_cargo_mutants

# The tool copies a workspace with everything in it: one of its own, of the same settings and the same locked dependencies.
work=$OUT/mutants
tree=$work/tree
rm -rf "$tree" "$work/mutants.out"
mkdir -p "$tree/modules"
cp -r "$TOP/modules/policy" "$tree/modules/policy"
sed '/^members = \[/,/^\]/c members = ["modules/policy"]' "$TOP/Cargo.toml" >"$tree/Cargo.toml"
cp "$TOP/Cargo.lock" "$tree/Cargo.lock"

# Building is most of the work, so build no more than the tables. The properties draw their cases by chance and do not count
# here: a change must fail a table.
rm "$tree/modules/policy/tests/properties.rs"
printf '\n[lib]\ntest = false\n' >>"$tree/modules/policy/Cargo.toml"
export CARGO_PROFILE_DEV_DEBUG=0 CARGO_PROFILE_TEST_DEBUG=0
status=0
"$CACHE/bin/cargo-mutants-$CARGO_MUTANTS_VERSION" mutants --dir "$tree" --package policy --all-features \
	--output "$work" --jobs "${MUTANTS_JOBS:-1}" --timeout 60 --colors never --no-times "$@" -- --test tables || status=$?

results=$work/mutants.out
if [ -s "$results/missed.txt" ]; then
	say "These changes pass all tests:"
	sed 's/^/  /' "$results/missed.txt"
	die "$(wc -l <"$results/missed.txt") mutants survive: add a row to a table in modules/policy/tests/tables for each, or remove the code"
fi
# 3: some of them never end, which is as good as a failed test.
case $status in
0 | 3) ;;
*) die "cargo mutants failed with status $status" ;;
esac
[ -f "$results/caught.txt" ] || exit 0 # They were only listed.
count() { wc -l <"$results/$1.txt"; }
say "No mutant survives: the tables caught $(count caught), $(count timeout) never ended, $(count unviable) do not compile."
