#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Makes what the tests of GPIO lines boot: build.sh FOLDER. The published gpiod tools and the program that runs them, each without
# a library beside it, in FOLDER/root.
. "$(dirname "$0")/../../scripts/lib.sh"
. "$TOP/scripts/pins.sh"

folder=${1:?usage: build.sh FOLDER}
here=$TOP/tests/gpio
cc=("$OUT/sdk/bin/armv7-nacre-linux-musleabihf-clang" -static -Os)
key=$({ printf '%s\n' "$LIBGPIOD_VERSION"; cat "$here/build.sh" "$here/init.c"; } | sha256sum | cut -c1-16)

if [ ! -f "$folder/.made-$key" ]; then
	archive=$("$TOP/scripts/fetch.sh" libgpiod)
	rm -rf "$folder"
	mkdir -p "$folder/source" "$folder/objects" "$folder/root/"{bin,dev,sys,sbin}
	tar -xf "$archive" -C "$folder/source" --strip-components=1
	cd "$folder/objects"
	"${cc[@]}" -c -D_GNU_SOURCE "-DGPIOD_VERSION_STR=\"$LIBGPIOD_VERSION\"" -I"$folder/source/include" -I"$folder/source/lib" \
		"$folder/source/lib/"*.c "$folder/source/tools/tools-common.c"
	for tool in gpiodetect gpioget gpioinfo gpiomon gpioset; do
		"${cc[@]}" -D_GNU_SOURCE "-DGPIOD_VERSION_STR=\"$LIBGPIOD_VERSION\"" -I"$folder/source/include" \
			-o "$folder/root/bin/$tool" "$folder/source/tools/$tool.c" ./*.o
	done
	"${cc[@]}" -Wall -Wextra -o "$folder/root/sbin/init" "$here/init.c"
	touch "$folder/.made-$key"
fi
