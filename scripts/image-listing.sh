#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Lists a root file system: path, kind, mode, user, group and class of size: image-listing.sh SQUASHFS
#
# The class is the power of two of KiB that a file stays below, so that the list changes when something grows, not daily.
set -euo pipefail
LC_ALL=C
export LC_ALL

image=${1:?usage: image-listing.sh SQUASHFS}
[ -f "$image" ] || { printf 'error: there is no root file system %s\n' "$image" >&2; exit 1; }
unsquashfs -lln -d / "$image" | awk '
/^[-dlbcps][-rwxsStT]+ / {
	split($2, owner, "/")
	path = $6
	for (field = 7; field <= NF; field++) path = path " " $field
	sub("^//", "/", path)
	kind = substr($1, 1, 1)
	class = "-"
	if (kind == "-") for (class = 1; class * 1024 < $3; class *= 2);
	printf "%s %s %s %s %s %s\n", path, kind == "-" ? "file" : kind == "d" ? "dir" : kind, substr($1, 2), owner[1], owner[2], kind == "-" ? "<=" class "K" : "-"
}' | sort
