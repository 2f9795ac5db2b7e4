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
LLVM_SUFFIX=${CLANG##*/clang}
# The others belong to it, even if some of a newer LLVM are there for rustc.
LLD=$(command -v "ld.lld$LLVM_SUFFIX" || true)
LLVM_AR=$(command -v "llvm-ar$LLVM_SUFFIX" || true)
LLVM_RANLIB=${LLVM_AR/llvm-ar/llvm-ranlib}
LLVM_STRIP=${LLVM_AR/llvm-ar/llvm-strip}
BINDGEN=$CACHE/bin/bindgen-$BINDGEN_VERSION

rustc_llvm() { # the number of the LLVM in rustc, whose bitcode no older one reads
	rustc -vV | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p'
}

rustc_llvm_tool() { # NAME: the command of that LLVM, or nothing
	local tool
	for tool in "$1-$(rustc_llvm)" "$1"; do
		if have "$tool" && "$tool" --version | grep -q "LLVM version $(rustc_llvm)\."; then
			command -v "$tool"
			return
		fi
	done
}

# What the kernel of BOARD is built with beyond what every kernel is built with.
inlines_helpers() { grep -qs '^CONFIG_RUST_INLINE_HELPERS=y' "$TOP/board/$BOARD/kernel.config"; }
missing_for_helpers() { # a tool a line
	local name
	for name in llvm-link opt llc; do
		[ -n "$(rustc_llvm_tool "$name")" ] || echo "$name"
	done
}
