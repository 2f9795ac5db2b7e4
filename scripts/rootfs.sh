#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Assembles out/image/rootfs.squashfs from board/common/rootfs.list, without root.
. "$(dirname "$0")/lib.sh"
. "$TOP/scripts/pins.sh"
. "$TOP/scripts/tools.sh"

stage=$OUT/rootfs
image=$OUT/image/rootfs.squashfs
pseudo=$OUT/rootfs.pseudo

source_of() { # SOURCE DESTINATION
	local name=${1#*:}
	case $1 in
	board:*) cp "$TOP/board/$BOARD/$name" "$2" ;;
	tree:*) cp "$TOP/$name" "$2" ;;
	der:*) openssl x509 -in "$TOP/$name" -outform DER -out "$2" ;;
	program:*) cp "$OUT/device/$name" "$2" ;;
	sysroot:*) "$LLVM_STRIP" --strip-all -o "$2" "$OUT/sdk/sysroot/$name" ;;
	*) die "board/common/rootfs.list: unknown source '$1'" ;;
	esac
}

assemble() {
	local kind path mode user group source
	rm -rf "$stage" "$image.new"
	mkdir -p "$stage" "$(dirname "$image")"
	# Owners come from the list alone: -all-root would win over it.
	: >"$pseudo"
	while read -r kind path mode user group source; do
		case $kind in
		dir) mkdir -p "$stage$path" ;;
		file) source_of "$source" "$stage$path" ;;
		*) die "board/common/rootfs.list: unknown kind '$kind'" ;;
		esac
		printf '%s m %s %s %s\n' "$path" "$mode" "$user" "$group" >>"$pseudo"
	done < <(grep -v '^#' "$TOP/board/common/rootfs.list")
	# LZ4, because unpacking the root must cost little of the boot; fixed times, so that equal inputs give equal bytes.
	mksquashfs "$stage" "$image.new" -noappend -root-mode 0755 -root-uid 0 -root-gid 0 -pf "$pseudo" -comp lz4 -Xhc -b 64K -no-xattrs -no-exports \
		-mkfs-time 0 -all-time 0 -no-progress -processors 1
	if cmp -s "$image.new" "$image"; then rm "$image.new"; else mv "$image.new" "$image"; fi
}

long rootfs "Assembling the root file system" assemble
