#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# A root file system in words:
#   image-listing.sh show SQUASHFS     path, kind, mode, user, group and class of size of everything in it
#   image-listing.sh check SQUASHFS    whether that is buildroot-external/golden/rootfs.list, and gives no rights away
#
# The class is the power of two of KiB that a file stays below, so that the list changes when something grows, not daily.
set -euo pipefail
export LC_ALL=C

golden=$(dirname "$0")/../buildroot-external/golden/rootfs.list
usage='usage: image-listing.sh show|check SQUASHFS'
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

show() {
	unsquashfs -lln -d / "$image" | awk '
	/^[-dlbcps][-rwxsStT]+ / {
		split($2, owner, "/")
		path = $6
		for (field = 7; field <= NF; field++) path = path " " $field
		sub("^//", "/", path)
		kind = substr($1, 1, 1)
		class = 1
		while (class * 1024 < $3) class *= 2
		printf "%s %s %s %s %s %s\n", path, kind == "-" ? "file" : kind == "d" ? "dir" : kind, substr($1, 2), owner[1], owner[2], kind == "-" ? "<=" class "K" : "-"
	}' | sort
}

# LISTING: no set-id file, nothing that others than the owner may write, no interpreter, no program that its user may write
refuse() {
	awk '
	$3 ~ /[sS]/ { print "error: " $1 " is a set-id file"; bad = 1 }
	substr($3, 5, 1) == "w" || substr($3, 8, 1) == "w" { print "error: " $1 " can be written by others than its owner"; bad = 1 }
	$1 ~ /\/(a?sh|bash|dash|busybox|toybox|python[0-9.]*|perl|lua|awk)$/ { print "error: " $1 " is an interpreter"; bad = 1 }
	$2 == "file" && $3 ~ /x/ && $4 != 0 { print "error: " $1 " is a program that does not belong to root"; bad = 1 }
	END { exit bad }' <<<"$1" >&2
}

check() {
	local listing
	listing=$(show)
	refuse "$listing" || exit 1
	diff <(grep -v '^#' "$golden") - <<<"$listing" >&2 ||
		die "the root differs from $(basename "$golden") (<) in the above (>): declare it in board/common/rootfs.list and there, or remove it"
}

image=${2:?$usage}
[ -f "$image" ] || die "there is no root file system $image"
case $1 in
show) show ;;
check) check ;;
*) die "$usage" ;;
esac
