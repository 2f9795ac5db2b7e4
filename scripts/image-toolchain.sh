#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# The toolchain of an air-gapped image: image-toolchain.sh DESTINATION
#
# The distribution's gcc for glibc, its binutils, and the sysroot of `make sdk` with musl from source, behind the names of a
# cross toolchain for musl. All paths hang on gcc's --sysroot, so Buildroot can copy the sysroot and use it from there.
. "$(dirname "$0")/lib.sh"
. "$TOP/scripts/pins.sh"

destination=${1:?usage: image-toolchain.sh DESTINATION}
gnu=arm-linux-gnueabihf
tuple=arm-nacre-linux-musleabihf

have "$gnu-gcc" || die "$gnu-gcc is not installed; on Debian and Ubuntu: apt-get install gcc-arm-linux-gnueabihf"
[ -f "$OUT/sdk/sysroot/usr/lib/libc.so" ] || die "there is no musl in ${OUT#"$TOP"/}/sdk: say 'make sdk' first"

key=$({ cat "$0"; "$gnu-gcc" --version; readlink -f "$OUT/sdk/sysroot"; } | sha256sum | cut -c1-16)
if [ -f "$destination/.key" ] && [ "$(cat "$destination/.key")" = "$key" ]; then
	exit 0
fi
work=$destination.new
rm -rf "$work"
mkdir -p "$work/bin" "$work/sysroot"
cp -a "$OUT/sdk/sysroot/." "$work/sysroot/"
# Clang looks for libgcc there; gcc has its own.
rm -rf "$work/sysroot/usr/lib/gcc"

# gcc replaces %R by the sysroot. The folders of headers hang on -nostdinc, or kernel objects would get those of user space.
cat >"$work/musl.specs" <<'SPECS'
%rename cpp_options distribution_cpp_options

*cpp_options:
%{!nostdinc:-nostdinc -isystem %R/usr/include -isystem include%s} %(distribution_cpp_options)

*cc1:
%(cc1_cpu) %{!nostdinc:-nostdinc -isystem %R/usr/include -isystem include%s}

*link_libgcc:
-L%R/lib -L%R/usr/lib -L .%s

*libgcc:
libgcc.a%s libgcc_eh.a%s

*lib:
-lc

*startfile:
%{!shared:%{static:%R/usr/lib/crt1.o;static-pie:%R/usr/lib/rcrt1.o;no-pie:%R/usr/lib/crt1.o;:%R/usr/lib/Scrt1.o}} %R/usr/lib/crti.o %{static:crtbeginT.o%s;no-pie:crtbegin.o%s;:crtbeginS.o%s}

*endfile:
%{static|no-pie:crtend.o%s;:crtendS.o%s} %R/usr/lib/crtn.o

*link:
%{!static:%{!shared:%{!static-pie:-dynamic-linker /lib/ld-musl-armhf.so.1}}} %{shared:-shared} %{static:-static} %{static-pie:-static -pie --no-dynamic-linker -z text} %{!static:%{!no-pie:%{!shared:%{!static-pie:%{!r:-pie}}}}} %{rdynamic:-export-dynamic} --eh-frame-hdr -X -m armelf_linux_eabi

SPECS

for name in gcc cpp; do
	cat >"$work/bin/$tuple-$name" <<EOF
#!/bin/sh
top=\$(CDPATH='' cd -- "\${0%/*}/.." && pwd)
root=\$top/sysroot
for argument; do
	case \$argument in --sysroot=*) root=\${argument#--sysroot=} ;; esac
done
# The distribution configured this compiler for the sysroot "/", for which Buildroot refuses it. Here that does not hold, and
# who asks how it is configured is told what does.
if [ "\$*" = -v ]; then
	$gnu-$name -v 2>&1 | sed "s:--with-sysroot=/ :--with-sysroot=\$top/sysroot :" >&2
	exit
fi
exec $gnu-$name -specs="\$top/musl.specs" --sysroot="\$root" -B"\$root/usr/lib" "\$@"
EOF
	chmod 755 "$work/bin/$tuple-$name"
done
ln -s "$tuple-gcc" "$work/bin/$tuple-cc"
for name in addr2line ar as c++filt elfedit ld ld.bfd nm objcopy objdump ranlib readelf size strings strip gcc-ar gcc-nm gcc-ranlib; do
	ln -s "$(command -v "$gnu-$name" || die "$gnu-$name is not installed")" "$work/bin/$tuple-$name"
done
printf '%s\n' "$key" >"$work/.key"
rm -rf "$destination"
mv "$work" "$destination"

# It must make programs of each kind before anything is built with it.
cd "$destination" || exit
for kind in -static -static-pie -no-pie '' -shared; do
	# shellcheck disable=SC2086
	printf 'int main(void) { return 0; }\n' | "bin/$tuple-gcc" $kind -fPIC -x c - -o .probe ||
		{ rm -f .key; die "the toolchain in $destination cannot link with '$kind'"; }
done
rm -f .probe
