#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Builds the device tree of BOARD into out/image/BOARD.dtb, when the board brings its own.
. "$(dirname "$0")/lib.sh"

source=$TOP/board/$BOARD/$BOARD.dts
[ -f "$source" ] || exit 0
tree=$OUT/image/$BOARD.dtb
mkdir -p "$OUT/image"
# Bindings of controllers without children of their own leave #address-cells out.
dtc -I dts -O dtb -W no-interrupt_provider -o "$tree.new" "$source"
if cmp -s "$tree.new" "$tree"; then rm "$tree.new"; else mv "$tree.new" "$tree"; fi
