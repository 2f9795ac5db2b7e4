#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Removes the shared cache: downloads, kernels, sysroots, bindgen.
. "$(dirname "$0")/lib.sh"

rmdir "$LOGS" "$OUT" 2>/dev/null || true
[ "$(basename "$CACHE")" = nacre ] || [ -d "$CACHE/download" ] || die "$CACHE does not look like Nacre's cache; remove it by hand"
rm -rf "$CACHE"
