#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Installs what the build needs on Debian and Ubuntu; elsewhere checks it and says what is missing.
. "$(dirname "$0")/lib.sh"
. "$TOP/scripts/pins.sh"

# What only this board needs.
board_packages=$TOP/board/$BOARD/packages.list
[ -f "$board_packages" ] || board_packages=/dev/null
stamp=$OUT/.setup-$({ cat "$0" "$TOP/scripts/pins.sh" "$TOP/scripts/tools.sh" "$board_packages" "$TOP/board/$BOARD/kernel.config"; } | sha256sum | cut -c1-16)
[ -f "$stamp" ] && [ -x "$CACHE/bin/bindgen-$BINDGEN_VERSION" ] && exit 0

root=()
[ "$(id -u)" -eq 0 ] || root=(sudo)

at_least() { [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]; } # MINIMUM ACTUAL

installed() { dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'ok installed'; }
candidate() { apt-cache policy "$1" 2>/dev/null | sed -n 's/^  Candidate: \([0-9:]*\)/\1/p' | sed 's/^[0-9]*://'; }

packages() { # every package, one a line
	local suffix llvm=
	printf '%s\n' bc bison ca-certificates cmake cpio curl device-tree-compiler file flex g++ gcc genimage git iproute2 kmod \
		libc6-dev libelf-dev libssl-dev linux-libc-dev-armhf-cross make openssl patch pkg-config \
		python3 python3-pip python3-venv qemu-system-arm rsync shellcheck squashfs-tools xz-utils
	grep -v '^#' "$board_packages" || true
	apt-cache search --names-only '^libgcc-[0-9]+-dev-armhf-cross$' | cut -d' ' -f1 | sort -V | tail -n 1
	if at_least "$RUSTC_MINIMUM" "$(candidate rustc)"; then
		printf '%s\n' cargo rust-clippy rust-src rustc rustfmt
	else
		printf '%s\n' cargo-web rust-web-clippy rust-web-src rustc-web rustfmt-web
	fi
	for suffix in 19 20 21 22; do
		if [ -n "$(candidate "clang-$suffix")" ]; then
			llvm=$suffix
			break
		fi
	done
	[ -n "$llvm" ] || die "this distribution has no clang of version $LLVM_MINIMUM or newer"
	printf '%s\n' "clang-$llvm" "lld-$llvm" "llvm-$llvm" "libclang1-$llvm"
}

install_packages() {
	"${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"
}

install_missing() { # PACKAGE...
	local package missing=()
	for package in "$@"; do
		installed "$package" || missing+=("$package")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	# The suite of newer Rust packages may be in an index that was read long ago.
	long setup-index "Reading the package index" "${root[@]}" apt-get update
	say "Installing ${#missing[@]} packages: ${missing[*]}"
	long setup-packages "Installing packages" install_packages "${missing[@]}"
}

if have apt-get && have dpkg-query; then
	if [ -z "$(candidate qemu-system-arm)" ]; then
		long setup-index "Reading the package index" "${root[@]}" apt-get update
	fi
	list=$(packages)
	mapfile -t list <<<"$list"
	install_missing "${list[@]}"
	. "$TOP/scripts/tools.sh"
	# Which LLVM rustc has is known when it is installed.
	[ -z "$(missing_for_helpers)" ] || install_missing "llvm-$(rustc_llvm)"
else
	say "This is not Debian or Ubuntu: checking for tools instead of installing them."
	. "$TOP/scripts/tools.sh"
fi

problems=()
for tool in bc bison cargo cmake cpio curl dtc flex gcc git make mksquashfs openssl patch python3 qemu-system-arm rsync rustc rustfmt xz; do
	have "$tool" || problems+=("$tool")
done
[ -n "$CLANG" ] || problems+=("clang >= $LLVM_MINIMUM")
[ -n "$LLD" ] || problems+=("ld.lld >= $LLVM_MINIMUM")
[ -n "$LLVM_AR" ] || problems+=("llvm-ar >= $LLVM_MINIMUM")
if have rustc; then
	version=$(rustc --version | cut -d' ' -f2)
	at_least "$RUSTC_MINIMUM" "$version" || problems+=("rustc >= $RUSTC_MINIMUM (found $version)")
	[ -f "$(rustc --print sysroot)/lib/rustlib/src/rust/library/std/Cargo.toml" ] || problems+=("the Rust library source (rust-src)")
	for tool in $(missing_for_helpers); do
		problems+=("$tool of LLVM $(rustc_llvm), which this rustc uses")
	done
fi
ls /usr/lib/gcc-cross/arm-linux-gnueabihf/*/libgcc.a >/dev/null 2>&1 || problems+=("libgcc for arm-linux-gnueabihf")
if [ ${#problems[@]} -gt 0 ]; then
	printf 'error: missing: %s\n' "${problems[@]}" >&2
	die "install the above and run 'make setup' again"
fi

install_bindgen() {
	[ -x "$BINDGEN" ] && return
	long setup-bindgen "Building bindgen $BINDGEN_VERSION" \
		cargo install bindgen-cli --locked --version "$BINDGEN_VERSION" --root "$CACHE/bindgen-root" --target-dir "$OUT/bindgen"
	mkdir -p "$CACHE/bin"
	mv "$CACHE/bindgen-root/bin/bindgen" "$BINDGEN"
	rm -rf "$CACHE/bindgen-root" "$OUT/bindgen"
}
locked bindgen install_bindgen

rm -f "$OUT"/.setup-*
touch "$stamp"
say "Ready: $(rustc --version), $("$CLANG" --version | head -n 1), bindgen $BINDGEN_VERSION."
