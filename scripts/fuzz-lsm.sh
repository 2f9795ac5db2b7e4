#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Fuzzes the interfaces of the security module on the kernel with the address sanitizer: fuzz-lsm.sh SECONDS [SEED].
# The same seed gives the same inputs. A finding of the kernel, or a module that is not as before, is a failure.
. "$(dirname "$0")/lib.sh"

seconds=${1:-600}
seed=${2:-1}
[[ $seconds =~ ^[1-9][0-9]*$ && $seed =~ ^[0-9]+$ ]] || die "usage: fuzz-lsm.sh SECONDS [SEED], both numbers"
kernel=$OUT/image/kasan/Image
[ -f "$kernel" ] || die "there is no $kernel: build it with 'make kernel VARIANT=kasan'"

exec python3 "$TOP/tests/harness/fuzz_lsm.py" "$seconds" "$seed"
