#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Linker of cargo, for a rustc that lives under /usr. It passes "-L /usr/lib/rustlib/TARGET/lib", and Buildroot's compiler
# refuses library folders of the build machine. That one holds nothing we need: Rust's library is built for the device.
# The compiler to run is in NACRE_CC.
count=$#
while [ "$count" -gt 0 ]; do
	argument=$1
	shift
	count=$((count - 1))
	case $argument in
	-L)
		case $1 in
		*/rustlib/*)
			shift
			count=$((count - 1))
			continue
			;;
		esac
		;;
	-L*/rustlib/*) continue ;;
	esac
	set -- "$@" "$argument"
done
exec "$NACRE_CC" "$@"
