#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Prints the path of a pinned source archive: fetch.sh linux|musl|qemu
#
# In this order: LINUX_TARBALL=, MUSL_TARBALL= or QEMU_TARBALL=, the cache, the project's own site, and the pool of whichever
# Debian mirror APT is configured for. Every archive is checked against scripts/pins.sh.
. "$(dirname "$0")/lib.sh"
. "$TOP/scripts/pins.sh"

name=${1:?usage: fetch.sh linux|musl|qemu}
upper=${name^^}
pin() { local variable=${upper}_$1; printf '%s' "${!variable:-}"; }
version=$(pin VERSION)
downloads=$CACHE/download

sum() { sha256sum "$1" | cut -d' ' -f1; }

check() { # FILE: it has one of the pinned sums, or we stop with both values
	local actual
	actual=$(sum "$1")
	[ "$actual" = "$(pin SHA256)" ] || [ "$actual" = "$(pin POOL_SHA256)" ] ||
		die "$1 is not the pinned $name $version:
  sha256 is    $actual
  expected     $(pin SHA256) (upstream)
  or           $(pin POOL_SHA256) (distribution pool)
Remove the file, or change scripts/pins.sh if the pin is meant to move."
}

download() { # URL FILE SHA256: whole and right, or not at all
	local part
	part=$(mktemp "$2.XXXXXX")
	if curl -fsSL --connect-timeout 10 --retry 2 -o "$part" "$1" 2>/dev/null; then
		local actual
		actual=$(sum "$part")
		if [ "$actual" = "$3" ]; then
			mv "$part" "$2"
			return 0
		fi
		rm -f "$part"
		die "the download of $name $version has a wrong hash: sha256 is $actual, expected $3"
	fi
	rm -f "$part"
	return 1
}

obtain() {
	local upstream=$downloads/${name}-$version.upstream pool=$downloads/${name}-$version.pool mirror
	mkdir -p "$downloads"
	for file in "$upstream" "$pool"; do
		if [ -f "$file" ]; then
			check "$file"
			printf '%s\n' "$file"
			return
		fi
	done
	printf 'Fetching %s %s\n' "$name" "$version" >&2
	if download "$(pin URL)" "$upstream" "$(pin SHA256)"; then
		printf '%s\n' "$upstream"
		return
	fi
	if have apt-get; then
		while read -r mirror; do
			if download "$mirror$(pin POOL)" "$pool" "$(pin POOL_SHA256)"; then
				printf '%s\n' "$pool"
				return
			fi
		done < <(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | sort -u)
	fi
	die "no source for $name $version could be reached. Fetch $(basename "$(pin URL)") yourself and name it: make ${upper}_TARBALL=/path/to/it"
}

given=${upper}_TARBALL
if [ -n "${!given:-}" ]; then
	[ -f "${!given}" ] || die "$given names ${!given}, which is not a file"
	check "${!given}"
	printf '%s\n' "${!given}"
else
	locked "fetch-$name" obtain
fi
