#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Makes the flash image of the board, where the board has a layout: post-image.sh BINARIES_DIR
set -euo pipefail

top=$(cd "$(dirname "$0")/../../.." && pwd)
setting() { sed -n "s/^$1=\"\(.*\)\"$/\1/p" "$BR2_CONFIG"; }
board=$(setting BR2_PACKAGE_NACRE_BOARD)

# The manifest says what is flashed; a variant for tests is not.
if [ -f "$top/board/$board/genimage.cfg" ] && [ -z "$(setting BR2_LINUX_KERNEL_EXT_NACRE_VARIANT)" ]; then
	NACRE_OUT=$BUILD_DIR/nacre-scripts BOARD=$board "$top/scripts/image-flash.sh" make "$1"
fi
[ -n "$(setting BR2_PACKAGE_NACRE_TRUSTED_KEY)" ] && [ -n "$(setting BR2_PACKAGE_NACRE_DEVICE_API_KEY)" ] ||
	echo 'notice: this image trusts public development keys: set BR2_PACKAGE_NACRE_TRUSTED_KEY and BR2_PACKAGE_NACRE_DEVICE_API_* for a product'
