#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Tests the security module from a changed rule to a booted kernel: test-lsm.sh [NAME]. First the decisions on this machine,
# then the kernel's own tests and the program of tests/lsm in one boot of the kernel that checks itself. With NAME only the
# tests in whose name it is found; everything on the kernels that ship is part of `make test`.
. "$(dirname "$0")/lib.sh"

pattern=${1:-}
start=$SECONDS
[[ $pattern =~ ^[A-Za-z0-9_:.-]*$ ]] || die "T=$pattern is no part of the name of a test: letters, digits, _ : . and - only"

decide() { # the tests of the decision core and of what of the module runs on this machine
	cargo test --locked --profile host --manifest-path "$TOP/Cargo.toml" --target-dir "$OUT/cargo/host" \
		--no-fail-fast -p policy -p nacre-lsm -- "$pattern"
}
status=0
# A refusal that is new is seen on the kernel all the same.
long lsm-decisions "Testing the decisions on this machine" decide || status=1
awk '/^test result:/ { passed += $4; failed += $6 } END { printf "  decisions: %d passed, %d failed\n", passed, failed }' "$LOGS/lsm-decisions.log"
# Without a name there is always something to decide.
[ -n "$pattern" ] || grep -q '^test result: ok\. [1-9]' "$LOGS/lsm-decisions.log" || status=1
decided=$((SECONDS - start))

VARIANT=debug "$TOP/scripts/kernel.sh"
built=$((SECONDS - start - decided))

NACRE_LSM_ONLY=$pattern python3 "$TOP/tests/harness/run.py" '^lsm/(kunit|debug)$' || status=1
if [ -n "$pattern" ] && [ -f "$OUT/test/logs/lsm-debug.ktap" ]; then
	say "What the booted kernel answered, and what it wrote down:"
	sed -nE 's/^((not )?ok [0-9]+ |# (denied: ))/  \1/p' "$OUT/test/logs/lsm-debug.ktap"
fi
say "decisions ${decided} s, kernel ${built} s, booted tests $((SECONDS - start - decided - built)) s"
say "Logs: ${LOGS#"$PWD"/}/lsm-decisions.log, ${OUT#"$PWD"/}/test/logs"
[ "$status" -eq 0 ]
