#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Builds the kernel of BOARD into out/image/zImage; with equal inputs it comes from the cache.
#
# VARIANT=debug builds the kernel of the module's tests (lock and memory checks, KUnit, all that hardening leaves out) into
# out/image/debug/zImage, and VARIANT=kasan the same for arm64 with the address sanitizer into out/image/kasan/Image.
# VARIANT=plain builds the kernel that ships without our module, which `make bench` compares sizes with, and VARIANT=twins that of
# BOARD=mt3620 with the drivers in C of tests/twins, which it compares ours with.
. "$(dirname "$0")/lib.sh"
. "$TOP/scripts/pins.sh"
. "$TOP/scripts/tools.sh"

VARIANT=${VARIANT:-}
arch=arm file=zImage more=()
case $VARIANT in
'' | debug | plain) ;;
twins) more=(tests/twins) ;;
kasan) arch=arm64 file=Image ;;
*) die "no kernel variant '$VARIANT': leave VARIANT empty for the kernel that ships, or set it to debug, kasan, plain or twins" ;;
esac
fragments_file=$TOP/board/$BOARD/kernel${VARIANT:+-$VARIANT}.fragments
[ -f "$fragments_file" ] || die "no board '$BOARD'${VARIANT:+ with a kernel variant $VARIANT}: there is no ${fragments_file#"$TOP"/}. Boards: $(cd "$TOP/board" && echo */kernel.fragments)"
mapfile -t fragments < <(grep -v '^#' "$fragments_file")

source=$OUT/kernel/source
build=$OUT/kernel/build-$BOARD${VARIANT:+-$VARIANT}
image=$OUT/image${VARIANT:+/$VARIANT}

tool_versions() {
	rustc --version
	"$BINDGEN" --version
	"$CLANG" --version | head -n 1
	if inlines_helpers; then "$(rustc_llvm_tool llc)" --version | grep 'LLVM version'; fi
}
key=$({ printf '%s\n' "$LINUX_VERSION" "$BOARD" "$VARIANT"; tool_versions; } |
	digest_of kernel-patches modules scripts/kernel.sh "${more[@]}" "${fragments[@]}" "${fragments_file#"$TOP"/}")
cached=$CACHE/kernel/$key

kmake() {
	make -C "$source" O="$build" ARCH="$arch" LLVM="${LLVM_SUFFIX:-1}" RUSTC="$(command -v rustc)" BINDGEN="$BINDGEN" \
		KBUILD_BUILD_TIMESTAMP='@0' KBUILD_BUILD_USER=nacre KBUILD_BUILD_HOST=nacre KBUILD_BUILD_VERSION=1 "$@"
}

prepare_source() { # the pinned tree with our series and modules/ in it; files that stay the same keep their times
	local wanted have_key=$OUT/kernel/source.key fresh=$OUT/kernel/source.new patch
	wanted=$(printf '%s' "$LINUX_VERSION" | digest_of kernel-patches)
	if [ -f "$have_key" ] && [ "$(cat "$have_key")" = "$wanted" ]; then
		return
	fi
	rm -f "$have_key"
	rm -rf "$fresh"
	mkdir -p "$fresh" "$source"
	tar -xf "$archive" -C "$fresh" --strip-components=1
	while read -r patch; do
		echo "patch $patch"
		patch -d "$fresh" -p1 -s -N --no-backup-if-mismatch <"$TOP/kernel-patches/$patch"
	done < <(grep -v '^#' "$TOP/kernel-patches/series")
	rsync -rlpc --delete --exclude=/nacre "$fresh/" "$source/"
	rm -rf "$fresh"
	# Ours is built where it lies.
	ln -sfn "$TOP/modules" "$source/nacre"
	printf '%s' "$wanted" >"$have_key"
}

configure() {
	local base=$build/.config.wanted
	mkdir -p "$build"
	kmake -s KCONFIG_CONFIG="$base" tinyconfig
	(cd "$TOP" && "$source/scripts/kconfig/merge_config.sh" -m -O "$build" "$base" "${fragments[@]}")
	mv "$build/.config" "$base"
	cp "$base" "$build/.config.new"
	KCONFIG_CONFIG=$build/.config.new kmake -s olddefconfig
	"$TOP/scripts/check-config.sh" "$build/.config.new" "${fragments[@]/#/$TOP/}"
	if cmp -s "$build/.config.new" "$build/.config"; then
		rm "$build/.config.new"
	else
		mv "$build/.config.new" "$build/.config"
	fi
	rm -f "$base" "$build"/.config*.old
}

rust_fits() { kmake -s rustavailable; }
compile() {
	if [ ${#more[@]} -eq 0 ]; then
		kmake -j"$JOBS" "$file"
	else
		# Linked in as an architecture's own drivers are, so that the tree and what ships know nothing of them.
		ln -sfn "$TOP/${more[0]}" "$source/${more[0]##*/}"
		kmake -j"$JOBS" "drivers-y=${more[0]##*/}/" "$file"
	fi
}

result() { # DIRECTORY
	cp "$build/arch/$arch/boot/$file" "$1/$file"
	cp "$build/.config" "$1/kernel.config"
	"${LLVM_AR/llvm-ar/llvm-size}" "$build/vmlinux" | tail -n 1 |
		awk -v image="${file,,}" -v bytes="$(stat -c %s "$1/$file")" '{ printf "text=%d data=%d bss=%d %s=%d\n", $1, $2, $3, image, bytes }' >"$1/kernel.size"
	"${LLVM_AR/llvm-ar/llvm-nm}" -S --size-sort "$build/vmlinux" >"$1/kernel.symbols"
}

if [ -f "$cached/$file" ]; then
	publish "$cached" "$image"
	exit 0
fi
archive=$("$TOP/scripts/fetch.sh" linux)
long kernel-source "Preparing Linux $LINUX_VERSION" prepare_source
long kernel-config "Configuring the kernel for $BOARD${VARIANT:+ ($VARIANT)}" configure
long kernel-rust "Checking that Rust fits the kernel" rust_fits
long "kernel${VARIANT:+-$VARIANT}" "Building the kernel for $BOARD${VARIANT:+, $VARIANT} (three to six minutes from cold on two cores)" compile
store "$cached" 12 result
publish "$cached" "$image"
say "Kernel${VARIANT:+ ($VARIANT)}: $(cat "$image/kernel.size")"
