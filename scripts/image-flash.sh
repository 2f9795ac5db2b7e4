#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# The flash image of BOARD from board/BOARD/genimage.cfg:
#   image-flash.sh make DIRECTORY            zImage and rootfs.squashfs in it become flash.img, with its manifest
#   image-flash.sh parts                     name, offset and size of each part, in bytes
#   image-flash.sh mtdparts DEVICE [OFFSET]  the same for the kernel command line, for a flash that begins there in its device
#   image-flash.sh kernel IMAGE SLOT FILE    takes the kernel out of a flash image as a boot loader does: by its manifest
. "$(dirname "$0")/lib.sh"

usage='usage: image-flash.sh make DIRECTORY | parts | mtdparts DEVICE [OFFSET] | kernel IMAGE SLOT FILE'
action=${1:?$usage}
layout=$TOP/board/$BOARD/genimage.cfg
[ -f "$layout" ] || die "the board '$BOARD' has no flash layout: there is no board/$BOARD/genimage.cfg"

parts() { # [OFFSET]
	awk -v start="${1:-0}" '
	function bytes(text) { return text * (text ~ /M$/ ? 1048576 : text ~ /K$/ ? 1024 : 1) }
	$1 == "partition" { name = $2 }
	name && $1 == "offset" { offset = bytes(start) + bytes($3) }
	name && $1 == "size" { size = bytes($3) }
	name && $1 == "}" { printf "%s %d %d\n", name, offset, size; name = "" }' "$layout"
}
place() { parts | awk -v name="$1" '$1 == name { print $2, $3 }'; } # NAME: its offset and size
sum() { sha256sum "$1" | cut -d' ' -f1; }

fits() { # NAME FILE
	local offset size actual
	read -r offset size < <(place "$1")
	actual=$(stat -c %s "$2")
	[ "$actual" -le "$size" ] || die "$(basename "$2") has $actual bytes, but the part $1 at $offset has only $size: see docs/build-the-os.md"
}

manifest() { # SLOT DIRECTORY: where the parts of the slot are and what their bytes hash to
	local offset size part file
	printf 'nacre slot 1\nboard %s\n' "$BOARD"
	for part in kernel:zImage root:rootfs.squashfs; do
		file=$2/${part#*:}
		read -r offset size < <(place "${part%%:*}-$1")
		printf '%s %d %d %s\n' "${part%%:*}" "$offset" "$(stat -c %s "$file")" "$(sum "$file")"
	done
}

data_area() { # BYTES: as it leaves the factory, erased, with the mark of JFFS2 in each erase block, or it would erase all again
	local block count
	block=$(awk '$1 == "pebsize" { print $3 * (/K$/ ? 1024 : 1) }' "$layout")
	count=$(($1 / block))
	{ printf '\x85\x19\x03\x20\x0c\x00\x00\x00\xb1\xb0\x1e\xe4'; head -c $((block - 12)) /dev/zero | tr '\0' '\377'; } >data.block
	for ((; count > 0; count--)); do cat data.block; done
	rm data.block
}

make_flash() {
	local directory=$1 tool file
	for tool in genimage sha256sum; do have "$tool" || die "$tool is not installed; on Debian and Ubuntu: apt-get install $tool"; done
	cd "$directory" || exit
	for file in zImage rootfs.squashfs; do [ -f "$file" ] || die "$directory has no $file to flash"; done
	fits kernel-a zImage
	fits root-a rootfs.squashfs
	work=$(mktemp -d "$directory/.flash.XXXXXX")
	trap 'rm -rf "$work"' EXIT
	mkdir "$work/input" "$work/root"
	cp zImage rootfs.squashfs "$work/input/"
	manifest a "$directory" >"$work/input/slot-a.manifest"
	printf '\377' >"$work/input/erased"
	(cd "$work" && data_area "$(place data | cut -d' ' -f2)" >input/data.jffs2)
	genimage --loglevel 1 --rootpath "$work/root" --tmppath "$work/tmp" --inputpath "$work/input" --outputpath "$work" --config "$layout" >"$work/log" 2>&1 ||
		{ cat "$work/log" >&2; die "genimage did not make the flash image of $BOARD"; }
	mv "$work/input/slot-a.manifest" "$directory/slot-a.manifest"
	mv "$work/flash.img" "$directory/flash.img"
	say "Flash: $(stat -c %s flash.img) bytes, kernel $(stat -c %s zImage), root $(stat -c %s rootfs.squashfs), used $(($(stat -c %s zImage) + $(stat -c %s rootfs.squashfs)))"
}

take_kernel() { # IMAGE SLOT FILE
	local offset size hash from
	read -r from _ < <(place "manifest-$2") || die "the layout of $BOARD has no slot '$2'"
	read -r _ offset size hash < <(tail -c +$((from + 1)) "$1" | head -n 4 | grep -a '^kernel ') || die "slot $2 of $1 is empty: it has no manifest"
	head -c $((offset + size)) "$1" | tail -c "$size" >"$3.new"
	[ "$(sum "$3.new")" = "$hash" ] || die "the kernel in slot $2 of $1 is damaged: its hash is not the one in the manifest"
	mv "$3.new" "$3"
}

case $action in
make) make_flash "$(cd "${2:?$usage}" && pwd)" ;;
parts) parts ;;
mtdparts) parts "${3:-0}" | awk -v device="${2:?$usage}" 'BEGIN { line = "mtdparts=" device ":" } { printf "%s%s%dk@%dk(%s)%s", line, separator, $3 / 1024, $2 / 1024, $1, $1 == "data" ? "" : "ro"; line = ""; separator = "," } END { print "" }' ;;
kernel) take_kernel "${2:?$usage}" "${3:?$usage}" "${4:?$usage}" ;;
*) die "$usage" ;;
esac
