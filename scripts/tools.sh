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

rustc_llvm_tool() { # NAME: the command of that LLVM
	local tool version
	version=$(rustc_llvm)
	for tool in "$1-$version" "$1"; do
		if have "$tool" && "$tool" --version | grep -q "LLVM version $version\."; then
			command -v "$tool"
			return
		fi
	done
	die "no $1 of LLVM $version, which rustc uses: run 'make setup BOARD=$BOARD'"
}

# Whether helpers of C are inlined in Rust code of the kernel of BOARD.
inlines_helpers() { grep -qs '^CONFIG_RUST_INLINE_HELPERS=y' "$TOP/board/$BOARD/kernel.config"; }
missing_for_helpers() { # what that takes and is not there, one a line
	local name
	inlines_helpers || return 0
	for name in llvm-link opt llc; do
		(rustc_llvm_tool "$name") >/dev/null 2>&1 || echo "$name"
	done
}
