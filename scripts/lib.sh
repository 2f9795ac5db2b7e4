# SPDX-License-Identifier: Apache-2.0 OR MIT
# What every build script shares: places, messages, and long steps with progress and a log.
# shellcheck shell=bash

set -euo pipefail

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
OUT=${NACRE_OUT:-$TOP/out}
CACHE=${NACRE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/nacre}
BOARD=${BOARD:-qemu-virt}
JOBS=${JOBS:-$(nproc)}
LOGS=$OUT/logs
export TARGET=armv7-unknown-linux-musleabihf

# The distribution's rustc builds the kernel and user space alike; a rustup shim in front of it would not.
PATH=/usr/bin:/bin:/usr/sbin:/sbin:$CACHE/bin:$PATH
unset RUSTC_WRAPPER RUSTFLAGS CARGO_ENCODED_RUSTFLAGS CARGO_BUILD_TARGET RUSTUP_TOOLCHAIN

mkdir -p "$OUT" "$LOGS" "$CACHE"

say() { printf '%s\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# A compiler that root lets write to /dev/null leaves a file there, and the next one reads what others wrote into it.
[ -c /dev/null ] || die "/dev/null is a file here, not the device; as root: rm /dev/null; mknod -m 666 /dev/null c 1 3"

# sha256 over names and contents of the given files and folders below $TOP, their tests left out, and over standard input.
digest_of() {
	{ cd "$TOP" && find "$@" -type f -not -path '*/tests/*' -not -name Cargo.toml -print0 | LC_ALL=C sort -z | xargs -0 -r sha256sum; cat; } | sha256sum | cut -c1-16
}

# long NAME WHAT COMMAND...: runs a command with its output in a log, shows that it lives, and explains a failure.
long() {
	local name=$1 what=$2 log=$LOGS/$1.log start=$SECONDS shown=$SECONDS told=$SECONDS pause=0.1 pid status=0
	shift 2
	printf '%s (log: %s)\n' "$what" "${log#"$PWD"/}"
	"$@" >"$log" 2>&1 </dev/null &
	pid=$!
	trap 'kill "$pid" 2>/dev/null; exit 130' INT TERM
	while kill -0 "$pid" 2>/dev/null; do
		sleep "$pause"
		[ "$SECONDS" -ne "$shown" ] || continue
		# Watching is no work that a long step should wait for.
		[ $((SECONDS - start)) -lt 10 ] || pause=1
		shown=$SECONDS
		if [ -t 1 ]; then
			printf '\r  %4d s  %s\033[K' $((SECONDS - start)) "$(tail -n 1 "$log" 2>/dev/null | tr -d '\r' | cut -c1-64)"
		elif [ $((SECONDS - told)) -ge 60 ]; then
			told=$SECONDS
			printf '  %d s: %s\n' $((SECONDS - start)) "$(tail -n 1 "$log" 2>/dev/null | cut -c1-64)"
		fi
	done
	wait "$pid" || status=$?
	trap - INT TERM
	[ -t 1 ] && printf '\r\033[K'
	if [ "$status" -ne 0 ]; then
		printf 'error: %s failed with status %d after %d s. The last lines of %s:\n' "$name" "$status" $((SECONDS - start)) "$log" >&2
		tail -n 25 "$log" | sed 's/^/  | /' >&2
		return "$status"
	fi
	printf '  done in %d s\n' $((SECONDS - start))
}

# locked NAME COMMAND...: one at a time over all clones that share the cache.
locked() {
	local lock=$CACHE/.lock-$1
	shift
	( flock 9; "$@" 9>&- ) 9>"$lock"
}

# store DIRECTORY MOST COMMAND...: a result appears in the cache as a whole, made by the command in the folder that it is given
# last. Beside it stay the newest results, MOST of them in all.
store() {
	local directory=$1 most=$2 kind new
	shift 2
	kind=$(dirname "$directory")
	mkdir -p "$kind"
	new=$(mktemp -d "$kind/.new.XXXXXX")
	"$@" "$new"
	rm -rf "$directory"
	mv "$new" "$directory"
	find "$kind" -mindepth 1 -maxdepth 1 -type d -printf '%T@ %p\n' | sort -rn | tail -n +$((most + 1)) | cut -d' ' -f2- | xargs -r rm -rf
}

# publish DIRECTORY WHERE: puts a cached result where it is used; equal files keep their times.
publish() {
	mkdir -p "$2"
	rsync -rc "$1/" "$2/"
	touch "$1"
}
