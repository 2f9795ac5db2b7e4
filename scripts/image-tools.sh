#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Tells Buildroot's makefiles which compilers the quick loop would use, as words NAME=VALUE.
NACRE_OUT=${NACRE_OUT:-${TMPDIR:-/tmp}/nacre-tools.$$}
trap 'rmdir "$NACRE_OUT/logs" "$NACRE_OUT" 2>/dev/null' EXIT
. "$(dirname "$0")/lib.sh"
. "$TOP/scripts/pins.sh"
. "$TOP/scripts/tools.sh"

[ -x "$BINDGEN" ] || BINDGEN=$(command -v bindgen || true)
printf 'LLVM=%s RUSTC=%s CARGO=%s BINDGEN=%s\n' "${LLVM_SUFFIX:-1}" "$(command -v rustc || true)" "$(command -v cargo || true)" "$BINDGEN"
