#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Assembles out/image/rootfs.squashfs from board/common/rootfs.list, without root.
. "$(dirname "$0")/lib.sh"
. "$TOP/scripts/pins.sh"
. "$TOP/scripts/tools.sh"

stage=$OUT/rootfs
image=$OUT/image/rootfs.squashfs
pseudo=$OUT/rootfs.pseudo

assemble() {
	rm -rf "$stage" "$image.new"
	mkdir -p "$stage" "$(dirname "$image")"
	NACRE_TOP=$TOP NACRE_BOARD_DIR=$TOP/board/$BOARD NACRE_PROGRAMS_DIR=$OUT/device NACRE_STAGING=$OUT/sdk/sysroot NACRE_STRIP=$LLVM_STRIP \
		"$TOP/scripts/install-root.sh" "$stage"
	# Modes and owners come from the list alone: -all-root would win over it.
	awk '!/^#/ { print $2, "m", $3, $4, $5 }' "$TOP/board/common/rootfs.list" >"$pseudo"
	# LZ4, because unpacking the root must cost little of the boot; fixed times, so that equal inputs give equal bytes.
	mksquashfs "$stage" "$image.new" -noappend -root-mode 0755 -root-uid 0 -root-gid 0 -pf "$pseudo" -comp lz4 -Xhc -b 64K -no-xattrs -no-exports \
		-mkfs-time 0 -all-time 0 -no-progress -processors 1
	if cmp -s "$image.new" "$image"; then rm "$image.new"; else mv "$image.new" "$image"; fi
}

long rootfs "Assembling the root file system" assemble
