#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Counts which lines of the decision core, and of the security module as far as it is built on this machine, the tests run:
# coverage.sh [MINIMUM]. Fails below MINIMUM percent of lines (95).
. "$(dirname "$0")/lib.sh"
. "$TOP/scripts/pins.sh"
. "$TOP/scripts/tools.sh"

minimum=${1:-95}
[[ $minimum =~ ^[0-9]+$ ]] || die "MINIMUM=$minimum is not a whole number of percent"

# The tools must read what this rustc writes: any LLVM as new as the one in it.
llvm=$(rustc_llvm)
tool() { # NAME
	local suffix
	for suffix in "-$llvm" -22 -21 -20 -19 ''; do
		if have "$1$suffix"; then
			command -v "$1$suffix"
			return
		fi
	done
	die "no $1: run 'make setup'"
}
profdata=$(tool llvm-profdata)
cov=$(tool llvm-cov)

work=$OUT/coverage
rm -rf "$work/profiles"
mkdir -p "$work/profiles"
run_tests() {
	RUSTFLAGS=-Cinstrument-coverage LLVM_PROFILE_FILE=$work/profiles/%p-%m.profraw \
		cargo test --locked --manifest-path "$TOP/Cargo.toml" --target-dir "$work/target" \
		--package policy --package nacre-lsm --all-features --tests
}
long coverage "Running the tests of the decision core and of the security module" run_tests

programs=()
while IFS= read -r program; do
	programs+=(--object "$program")
done < <(sed -n 's/^ *Running .*(\(.*\))$/\1/p' "$LOGS/coverage.log")
"$profdata" merge --sparse -o "$work/policy.profdata" "$work"/profiles/*.profraw
report() { # FORMAT ARGUMENTS...
	"$cov" "$@" --instr-profile "$work/policy.profdata" "${programs[@]}" --ignore-filename-regex '/tests/' --sources "$TOP/modules/policy/src" "$TOP/modules/lsm"
}
report show --format=text --show-line-counts-or-regions >"$work/lines.txt"
report report | sed 's|^/.*/modules/||' >"$work/report.txt"
# Of the columns the lines are the third triple: total, missed, percent.
awk '$1 ~ /\.rs$|^TOTAL$/ { printf "  %-28s %5d lines, %3d not run, %s\n", $1, $8, $9, $10 }' "$work/report.txt"
percent=$(awk '$1 == "TOTAL" { sub(/\..*/, "", $10); print $10 }' "$work/report.txt")
say "Line by line: ${work#"$TOP"/}/lines.txt"
[ "${percent:-0}" -ge "$minimum" ] || die "the tests run ${percent:-no} % of the lines, less than $minimum %: add a test for what lines.txt shows as 0"
