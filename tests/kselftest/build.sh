#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Builds the kernel's own tests, as the pinned tree has them, and the root file system that runs them:
# out/test/kselftest.squashfs. Takes them from the archive: neither our series nor we change a line of them.
. "$(dirname "$0")/../../scripts/lib.sh"
. "$TOP/scripts/pins.sh"
. "$TOP/scripts/tools.sh"

here=$TOP/tests/kselftest
compiler=$OUT/sdk/bin/armv7-nacre-linux-musleabihf-clang
[ -x "$compiler" ] || die "no C toolchain for the device: run 'make sdk'"
key=$({ printf '%s\n' "$LINUX_VERSION"; "$CLANG" --version | head -n 1; readlink -f "$OUT/sdk/sysroot"; } |
	digest_of tests/kselftest/{build.sh,tests.list,include})
programs=$CACHE/kselftest/$key

# __GLIBC_PREREQ: seccomp_bpf asks whether the C library has SIGSYS in siginfo_t, which musl has.
flags=(-static -O2 -std=gnu11 -D_GNU_SOURCE= '-D__GLIBC_PREREQ(a,b)=1' -w)

wanted() { grep -v '^#' "$here/tests.list"; }

build() { # DESTINATION ARCHIVE
	local work=$1.work source=$1.work/source kind name sources suite file
	rm -rf "$work"
	mkdir -p "$source"
	# What `make headers` and the tests read; unpacking all of the tree would take a minute more.
	tar -xf "$2" -C "$source" --strip-components=1 --wildcards '*/Makefile' '*/Kbuild' '*/Kbuild.*' '*/scripts/*' '*/include/*' \
		'*/arch/arm/*' '*/tools/testing/selftests/*'
	make -s -C "$source" O="$work/headers" ARCH=arm LLVM="${LLVM_SUFFIX:-1}" headers
	while read -r kind name sources; do
		suite=$source/tools/testing/selftests/${name%/*}
		file=$work/programs/$name
		mkdir -p "$(dirname "$file")"
		# shellcheck disable=SC2086 # the names of sources are words
		(cd "$suite" && "$compiler" "${flags[@]}" -I"$here/include" -isystem "$work/headers/usr/include" -o "$file" $sources) ||
			die "the kernel's test $name ($kind) cannot be built"
		"$LLVM_STRIP" "$file"
	done < <(wanted)
	rm -rf "$1"
	mv "$work/programs" "$1"
	rm -rf "$work"
}

ensure_programs() {
	[ -d "$programs" ] && return
	mkdir -p "$CACHE/kselftest"
	build "$programs" "$1"
}

runner() {
	# shellcheck disable=SC1091
	. "$OUT/sdk/env.sh"
	cargo build --manifest-path "$here/Cargo.toml" --locked --target-dir "$target" --release --target "$TARGET" \
		-Zbuild-std=std,panic_abort -Zbuild-std-features=optimize_for_size
}

assemble() {
	local stage=$OUT/test/kselftest directory
	rm -rf "$stage"
	for directory in bin dev proc sys tmp tests; do mkdir -p "$stage/$directory"; done
	cp -R "$programs"/. "$stage/tests/"
	wanted | awk '$1 == "test" { print $2 }' >"$stage/tests/list"
	cp "$target/$TARGET/release/kselftest" "$stage/bin/init"
	ln -s init "$stage/bin/sh"
	mksquashfs "$stage" "$OUT/test/kselftest.squashfs" -noappend -all-root -comp lz4 -no-xattrs -no-progress -processors 1
}

target=${CARGO_TARGET_DIR:-$OUT/cargo/device}
archive=$("$TOP/scripts/fetch.sh" linux)
long kselftest "Building the kernel's own tests" locked kselftest ensure_programs "$archive"
long kselftest-runner "Building what runs them" runner
long kselftest-root "Assembling their root file system" assemble
