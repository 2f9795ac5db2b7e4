# SPDX-License-Identifier: Apache-2.0 OR MIT
# Which of the installed compilers is used: the newest LLVM that is new enough, with or without a version suffix.
# shellcheck shell=bash disable=SC2034

llvm_tool() { # NAME: the command, or nothing
	local suffix version
	for suffix in -22 -21 -20 -19 ''; do
		if have "$1$suffix"; then
			version=$("$1$suffix" --version | grep -oE '[0-9]+\.[0-9]+' | head -n 1 | cut -d. -f1)
			if [ "${version:-0}" -ge "$LLVM_MINIMUM" ]; then
				command -v "$1$suffix"
				return
			fi
		fi
	done
}

CLANG=$(llvm_tool clang)
LLD=$(llvm_tool ld.lld)
LLVM_AR=$(llvm_tool llvm-ar)
LLVM_RANLIB=${LLVM_AR/llvm-ar/llvm-ranlib}
LLVM_STRIP=${LLVM_AR/llvm-ar/llvm-strip}
LLVM_SUFFIX=${CLANG##*/clang}
BINDGEN=$CACHE/bin/bindgen-$BINDGEN_VERSION
