#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Puts what board/common/rootfs.list declares into a folder: install-root.sh FOLDER
#
# Both ways to an image use it and say by variables where things are; the right modes and owners come when the file system is made.
set -euo pipefail

target=$1
list=$NACRE_TOP/board/common/rootfs.list

die() { printf 'error: %s\n' "$*" >&2; exit 1; }

own() { # PATH: the file that the configuration names for it, if it names one
	case $1 in
	/etc/nacre/trusted-keys/*) printf '%s' "${NACRE_TRUSTED_KEY:-}" ;;
	/etc/nacre/device-api.crt.pem) printf '%s' "${NACRE_DEVICE_API_CERTIFICATE:-}" ;;
	/etc/nacre/device-api.key.pem) printf '%s' "${NACRE_DEVICE_API_KEY:-}" ;;
	esac
}

source_of() { # SOURCE PATH
	local name=${1#*:} file
	case $1 in
	board:*) file=$NACRE_BOARD_DIR/$name ;;
	tree:* | der:*) file=$(own "$2") && file=${file:-$NACRE_TOP/$name} ;;
	program:*) file=$NACRE_PROGRAMS_DIR/$name ;;
	# Some toolchains keep the C library in /lib only.
	sysroot:*) file=$NACRE_STAGING/$name && [ -e "$file" ] || file=$NACRE_STAGING/lib/$(basename "$name") ;;
	*) die "$list: unknown source '$1' of $2" ;;
	esac
	[ -f "$file" ] || die "there is no $file, which $list wants as $2"
	case $1 in
	der:*) openssl x509 -in "$file" -outform DER -out "$target$2" || die "$file is no certificate in PEM form" ;;
	sysroot:*) "$NACRE_STRIP" --strip-all -o "$target$2" "$(readlink -f "$file")" ;;
	*) cp "$file" "$target$2" ;;
	esac
}

while read -r kind path mode _ _ source; do
	case $kind in
	dir) mkdir -p "$target$path" ;;
	# The name may be taken by a link of the skeleton or of the toolchain.
	file) rm -f "$target$path" && source_of "$source" "$path" ;;
	*) die "$list: unknown kind '$kind'" ;;
	esac
	# It must be readable and writable for what follows; the list's own mode comes in the file system.
	chmod "$mode" "$target$path"
	chmod u+rw "$target$path"
done < <(grep -v '^#' "$list")
