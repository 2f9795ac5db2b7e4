#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Checks the form of everything: licence lines, rustfmt, clippy, shell scripts, dependencies.
. "$(dirname "$0")/lib.sh"

cd "$TOP"
failed=0
check() { # NAME COMMAND...
	local name=$1
	shift
	if "$@" >"$LOGS/check-$name.log" 2>&1; then
		say "ok      $name"
	else
		say "FAILED  $name"
		tail -n 20 "$LOGS/check-$name.log" | sed 's/^/  | /'
		failed=$((failed + 1))
	fi
}

spdx() { # every tracked text file that can carry a comment says its licence near its top
	local file missing=0
	while IFS= read -r file; do
		case $file in
		*.json | *.lock | *.der | *.pem | *.patch | */corpus/* | */fixtures/* | LICENSES/* | *.svg | *.bin | .gitignore | *.proptest-regressions) continue ;;
		esac
		head -n 5 "$file" | grep -q 'SPDX-License-Identifier:' || { echo "$file: no SPDX-License-Identifier in its first lines"; missing=1; }
	done < <(git ls-files)
	return "$missing"
}
workspaces() { git ls-files '*Cargo.lock' | xargs -n 1 dirname; }
formatted() {
	local directory
	for directory in $(workspaces); do
		cargo fmt --all --check --manifest-path "$directory/Cargo.toml" || return
	done
}
linted() {
	local directory
	for directory in . board/mt3620/models; do
		cargo clippy --locked --manifest-path "$directory/Cargo.toml" --target-dir "$OUT/cargo/clippy" --workspace --all-targets -- -D warnings || return
	done
}
shell() { git ls-files '*.sh' .ci/run | xargs shellcheck; }
python() { git ls-files '*.py' | xargs python3 -m py_compile; }
patches() {
	local directory
	for directory in kernel-patches board/*/qemu; do
		diff <(grep -v '^#' "$directory/series") <(cd "$directory" && ls -- *.patch) || return
	done
}

check spdx spdx
check rustfmt formatted
check clippy linted
check dependencies python3 scripts/check_dependencies.py
check patches patches
check python python
if have shellcheck; then check shellcheck shell; else say "skipped shellcheck (not installed)"; fi
[ "$failed" -eq 0 ] || die "$failed checks failed; their logs are in ${LOGS#"$TOP"/}/check-*.log"
