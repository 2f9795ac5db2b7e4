#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Builds the QEMU of BOARD into out/emulator/BOARD/qemu-system-arm, when the board brings patches for one; with equal inputs it
# comes from the cache. Other boards run on the QEMU of the distribution.
#
# It is the pinned source with the series of board/BOARD/qemu, the register models of board/BOARD/models linked into it, and
# nothing that the board does not have.
. "$(dirname "$0")/lib.sh"
. "$TOP/scripts/pins.sh"

patches=board/$BOARD/qemu
models=board/$BOARD/models
[ -f "$TOP/$patches/series" ] || exit 0

work=$OUT/emulator/build-$BOARD
source=$work/source
image=$OUT/emulator/$BOARD
program=qemu-system-arm

for tool in meson ninja pkg-config; do
	have "$tool" || die "$tool is missing: 'make setup BOARD=$BOARD' installs it on Debian and Ubuntu; see board/$BOARD/packages.list"
done
tool_versions() { gcc --version | head -n 1; rustc --version; meson --version; pkg-config --modversion glib-2.0 pixman-1 slirp; }
key=$({ printf '%s\n' "$QEMU_VERSION"; tool_versions; cat "$TOP/$models/Cargo.toml"; } | digest_of "$patches" "$models" scripts/qemu.sh)
cached=$CACHE/qemu/$key

prepare_source() {
	local patch
	rm -rf "$work"
	mkdir -p "$source"
	tar -xf "$archive" -C "$source" --strip-components=1
	while read -r patch; do
		echo "patch $patch"
		patch -d "$source" -p1 -s -N --no-backup-if-mismatch <"$TOP/$patches/$patch"
	done < <(grep -v '^#' "$TOP/$patches/series")
}

build_models() {
	cargo build --manifest-path "$TOP/$models/Cargo.toml" --locked --release --target-dir "$OUT/cargo/models"
	cat >"$work/mt3620-models.pc" <<-END
		Name: mt3620-models
		Description: Register models of the MT3620
		Version: 0.1.0
		Cflags: -I$TOP/$models/include
		Libs: $OUT/cargo/models/release/libmt3620_models.a -lpthread -ldl -lm
	END
}

compile() {
	mkdir -p "$work/build"
	cd "$work/build"
	# Its own sources do not know newer compilers' warnings.
	PKG_CONFIG_PATH=$work "$source/configure" --target-list=arm-softmmu --without-default-features --without-default-devices \
		"--with-devices-arm=$BOARD" --enable-tcg --enable-system --enable-slirp --enable-fdt=system \
		--disable-tools --disable-docs --disable-install-blobs --disable-werror
	ninja -j"$JOBS" "$program"
	strip "$program"
}

result() { cp "$work/build/$program" "$1/"; }

if [ -x "$cached/$program" ]; then
	publish "$cached" "$image"
	exit 0
fi
archive=$("$TOP/scripts/fetch.sh" qemu)
long qemu-source "Preparing QEMU $QEMU_VERSION for $BOARD" prepare_source
long qemu-models "Building the register models of $BOARD" build_models
long qemu "Building QEMU for $BOARD (three to six minutes on two cores)" compile
store "$cached" 4 result
publish "$cached" "$image"
rm -rf "$work"
say "Emulator: $("$image/$program" --version | head -n 1), $(stat -c %s "$image/$program") bytes"
