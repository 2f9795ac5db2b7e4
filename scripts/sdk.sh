#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# The C toolchain for the device: a musl sysroot in the cache, and clang as out/sdk/bin/armv7-nacre-linux-musleabihf-clang.
. "$(dirname "$0")/lib.sh"
. "$TOP/scripts/pins.sh"
. "$TOP/scripts/tools.sh"

# Small Thumb-2 code for the Cortex-A7 of every supported board.
machine=(--target="$TARGET" -mcpu=cortex-a7 -mfpu=neon-vfpv4 -mthumb)

gcc_runtime() { # directory with libgcc.a for hard-float ARM, newest first
	local directory
	directory=$(printf '%s\n' /usr/lib/gcc-cross/arm-linux-gnueabihf/*/libgcc.a | sort -V | tail -n 1)
	[ -f "$directory" ] || die "no libgcc for arm-linux-gnueabihf: run 'make setup'"
	dirname "$directory"
}

build_sysroot() { # DESTINATION ARCHIVE
	local work=$1.work runtime
	runtime=$(gcc_runtime)
	rm -rf "$work"
	mkdir -p "$work/source"
	tar -xf "$2" -C "$work/source" --strip-components=1
	(
		cd "$work/source" || exit
		./configure --target=arm-linux-musleabihf --prefix=/usr --syslibdir=/lib \
			CC="$CLANG ${machine[*]} -fuse-ld=$LLD" AR="$LLVM_AR" RANLIB="$LLVM_RANLIB" \
			CFLAGS="-Os -ffunction-sections -fdata-sections -ffile-prefix-map=$work/source=musl" LIBCC="$runtime/libgcc.a"
		make -j"$JOBS"
		make DESTDIR="$work/sysroot" install
	)
	ln -sf ../usr/lib/libc.so "$work/sysroot/lib/ld-musl-armhf.so.1"
	# Clang looks for the compiler's run-time library under the name of the target.
	mkdir -p "$work/sysroot/usr/lib/gcc/$TARGET/12"
	cp "$runtime"/{crtbegin,crtbeginS,crtbeginT,crtend,crtendS}.o "$runtime"/{libgcc,libgcc_eh}.a "$work/sysroot/usr/lib/gcc/$TARGET/12/"
	# Rust's standard library asks for the unwinder by this name.
	cp "$runtime/libgcc_eh.a" "$work/sysroot/usr/lib/libunwind.a"
	cp -r /usr/arm-linux-gnueabihf/include/{linux,asm,asm-generic,mtd} "$work/sysroot/usr/include/"
	rm -rf "$1"
	mv "$work/sysroot" "$1"
	rm -rf "$work"
}

ensure_sysroot() {
	[ -f "$sysroot/usr/lib/libc.so" ] && return
	archive=$("$TOP/scripts/fetch.sh" musl)
	mkdir -p "$CACHE/sysroot"
	long sdk "Building musl $MUSL_VERSION for the device" build_sysroot "$sysroot" "$archive"
}

key=$({ printf '%s\n' "$MUSL_SHA256" "${machine[@]}"; "$CLANG" --version | head -n 1; gcc_runtime; declare -f build_sysroot; } | sha256sum | cut -c1-16)
sysroot=$CACHE/sysroot/$key
locked sysroot ensure_sysroot

mkdir -p "$OUT/sdk/bin"
ln -sfn "$sysroot" "$OUT/sdk/sysroot"
write_if_changed() { # FILE: standard input becomes its content; an equal file keeps its time
	cat >"$1.new"
	if cmp -s "$1.new" "$1"; then rm "$1.new"; else mv "$1.new" "$1"; fi
}
write_if_changed "$OUT/sdk/bin/armv7-nacre-linux-musleabihf-clang" <<EOF
#!/bin/sh
# C compiler and linker for Nacre devices.
exec $CLANG ${machine[*]} --sysroot=$sysroot -fuse-ld=$LLD -static-libgcc -Wno-unused-command-line-argument "\$@"
EOF
chmod +x "$OUT/sdk/bin/armv7-nacre-linux-musleabihf-clang"
write_if_changed "$OUT/sdk/env.sh" <<EOF
# Environment of cargo for Nacre devices; source it, then: cargo build -Zbuild-std=std,panic_abort --target $TARGET
export PATH=/usr/bin:/bin:\$PATH
export RUSTC_BOOTSTRAP=1
export CARGO_TARGET_ARMV7_UNKNOWN_LINUX_MUSLEABIHF_LINKER=$OUT/sdk/bin/armv7-nacre-linux-musleabihf-clang
export CARGO_TARGET_ARMV7_UNKNOWN_LINUX_MUSLEABIHF_RUSTFLAGS="-Clink-self-contained=no -Ctarget-cpu=cortex-a7 -Ctarget-feature=+thumb-mode -Clink-arg=-Wl,--build-id=none --remap-path-prefix=$TOP=/nacre --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo"
export CC_armv7_unknown_linux_musleabihf=$OUT/sdk/bin/armv7-nacre-linux-musleabihf-clang
export AR_armv7_unknown_linux_musleabihf=$LLVM_AR
EOF
