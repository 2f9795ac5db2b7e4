#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Leaves in the root file system what board/common/rootfs.list declares: post-fakeroot.sh TARGET_DIR
#
# It runs on a copy that becomes the image. Files that Buildroot's skeleton brings for other systems go; any other file
# that the list does not declare stops the build, unless the configuration allows it.
set -euo pipefail

target=$1
list=$(dirname "$0")/../../../board/common/rootfs.list

skeleton=(etc/group etc/hostname etc/hosts etc/issue etc/mtab etc/os-release etc/passwd etc/profile etc/profile.d/umask.sh
	etc/protocols etc/resolv.conf etc/services etc/shadow etc/shells etc/nsswitch.conf usr/lib/os-release
	dev/fd dev/stdin dev/stdout dev/stderr dev/log lib32 usr/lib32)
for path in "${skeleton[@]}"; do
	grep -qE "^file +/$path " "$list" || rm -f "$target/$path"
done
# Empty folders of the skeleton go, those of the list stay.
find "$target" -mindepth 1 -depth -type d -empty | while IFS= read -r path; do
	until grep -qE "^dir +${path#"$target"} " "$list" || ! rmdir "$path" 2>/dev/null; do
		path=$(dirname "$path")
		[ "$path" != "$target" ] || break
	done
done

declared() { grep -v '^#' "$list" | awk '{ print $2 }' | sort; }
found() { find "$target" -mindepth 1 -printf '/%P\n' | sort; }
missing=$(comm -23 <(declared) <(found))
[ -z "$missing" ] || {
	printf 'error: board/common/rootfs.list declares what is not in the root file system: %s\n' "${missing//$'\n'/ }" >&2
	exit 1
}
extra=$(comm -13 <(declared) <(found))
if [ -n "$extra" ] && grep -q '^BR2_PACKAGE_NACRE_ONLY=y' "$BR2_CONFIG"; then
	printf 'error: the root file system has what board/common/rootfs.list does not declare: %s; declare it there, or leave BR2_PACKAGE_NACRE_ONLY off\n' \
		"${extra//$'\n'/ }" >&2
	exit 1
fi
