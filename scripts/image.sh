#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# The image by Buildroot: image.sh doctor|sources|config|build|check|runtime|test|sbom|legal|reproduce|tools
#
#   BUILDROOT=/path    a Buildroot checkout or release; never downloaded and never written to
#   IMAGE_MODE=airgap  nothing is downloaded: toolchain and tools of this machine, sources from SOURCES=/path
#   FETCH=1            with sources: fills SOURCES, on a machine with a network
#   DEFCONFIG=name     another configuration of buildroot-external/configs
#   IMAGE_OUT=/path    where Buildroot works; out/buildroot/<configuration> unless set
#   BR2_DL_DIR=/path   Buildroot's download folder; out/buildroot/dl unless set
. "$(dirname "$0")/lib.sh"
. "$TOP/scripts/pins.sh"
. "$TOP/scripts/tools.sh"

BUILDROOT_PIN=2026.08
EXTERNAL=$TOP/buildroot-external
DEFCONFIG=${DEFCONFIG:-nacre_${BOARD//-/_}_defconfig}
board=$(sed -n 's/^BR2_PACKAGE_NACRE_BOARD="\(.*\)"$/\1/p' "$EXTERNAL/configs/$DEFCONFIG" 2>/dev/null || true)
BOARD=${board:-qemu-virt}
EMULATOR=$OUT/emulator/$BOARD/qemu-system-arm
MODE=${IMAGE_MODE:-online}
IMAGE_OUT=$(realpath -m "${IMAGE_OUT:-$OUT/buildroot/${DEFCONFIG%_defconfig}}")
IMAGES=$IMAGE_OUT/images
BR2_DL_DIR=$(realpath -m "${BR2_DL_DIR:-$OUT/buildroot/dl}")
export BR2_DL_DIR
NEEDED_MIB=3000
# What an air-gapped build takes from the folder SOURCES, laid out as Buildroot's own download folder.
SOURCES=${SOURCES:-}
# Nothing of the caller's settings reaches the build.
unset CARGO_HOME CARGO_TARGET_DIR CROSS_COMPILE ARCH CC CFLAGS LDFLAGS MAKEFLAGS MAKELEVEL MFLAGS GREP_OPTIONS PERL_MM_OPT

br() { make -C "$BUILDROOT" O="$IMAGE_OUT" BR2_EXTERNAL="$EXTERNAL" BR2_JLEVEL="$JOBS" "$@"; }

# --- doctor: what the machine has, and what to do about the rest -----------------------------------------------------------

problems=()
problem() { problems+=("$*"); }
complain() { # ends with one sentence for each problem
	[ ${#problems[@]} -eq 0 ] || { printf 'error: %s\n' "${problems[@]}" >&2; exit 1; }
}

check_buildroot() {
	local version
	if [ -z "${BUILDROOT:-}" ]; then
		die "BUILDROOT is not set: get Buildroot $BUILDROOT_PIN (a release archive or a git checkout) and say BUILDROOT=/path/to/it; 'make quick' needs none"
	fi
	[ -f "$BUILDROOT/package/pkg-generic.mk" ] || die "BUILDROOT=$BUILDROOT is no Buildroot tree: it has no package/pkg-generic.mk"
	BUILDROOT=$(cd "$BUILDROOT" && pwd)
	version=$(sed -n 's/^export BR2_VERSION := //p' "$BUILDROOT/Makefile")
	case $version in
	"$BUILDROOT_PIN" | "$BUILDROOT_PIN"[.-]*) ;;
	*) die "BUILDROOT=$BUILDROOT is release '${version:-unknown}', and this tree is made for $BUILDROOT_PIN: check out the tag $BUILDROOT_PIN" ;;
	esac
	buildroot_version=$version
}

tool() { # COMMAND PACKAGE
	have "$1" || problem "$1 is not installed (apt-get install $2)"
}

check_machine() {
	local free needed name
	for name in make gcc g++ patch perl cpio rsync bc unzip file flex bison wget openssl; do tool "$name" "$name"; done
	tool unsquashfs squashfs-tools
	for name in rustc cargo; do have "$name" || problem "$name is not installed (make setup installs it)"; done
	if have rustc; then
		[ -f "$(rustc --print sysroot)/lib/rustlib/src/rust/library/std/Cargo.toml" ] || problem "the Rust library sources are not installed (make setup installs them)"
		for name in $(missing_for_helpers); do problem "$name of LLVM $(rustc_llvm), which rustc uses, is not installed (make setup BOARD=$BOARD installs it)"; done
	fi
	[ -n "$CLANG" ] || problem "clang $LLVM_MINIMUM or newer is not installed (make setup installs it)"
	[ -n "$LLD" ] || problem "ld.lld $LLVM_MINIMUM or newer is not installed (make setup installs it)"
	[ -x "$BINDGEN" ] || have bindgen || problem "bindgen is not installed (make setup builds it)"
	if [ "$MODE" = airgap ]; then
		tool arm-linux-gnueabihf-gcc gcc-arm-linux-gnueabihf
		for name in fakeroot patchelf genimage; do tool "$name" "$name"; done
		tool mksquashfs squashfs-tools
		tool depmod kmod
	fi
	mkdir -p "$IMAGE_OUT" 2>/dev/null || die "IMAGE_OUT=$IMAGE_OUT cannot be made: choose another folder"
	free=$(df -Pm "$IMAGE_OUT" | awk 'END { print $4 }')
	needed=$((NEEDED_MIB - $(du -sm "$IMAGE_OUT" | cut -f1)))
	if [ "$free" -lt "$needed" ]; then
		problem "$IMAGE_OUT has $free MiB free and the build needs $needed more: make room, or set IMAGE_OUT"
	fi
	case $IMAGE_OUT in *[[:space:]:]*) problem "Buildroot cannot work in '$IMAGE_OUT': the path has a space or a colon" ;; esac
	case $MODE in online | airgap) ;; *) problem "IMAGE_MODE=$MODE is unknown: online or airgap" ;; esac
	[ -f "$EXTERNAL/configs/$DEFCONFIG" ] || problem "there is no buildroot-external/configs/$DEFCONFIG; there are: $(cd "$EXTERNAL/configs" && echo *_defconfig)"
}

doctor() {
	check_buildroot
	check_machine
	complain
}

report() {
	doctor
	say "Buildroot $buildroot_version (made for $BUILDROOT_PIN), $MODE, $DEFCONFIG, into $IMAGE_OUT"
	say "$(rustc --version)"
	say "$("$CLANG" --version | head -n 1)"
	[ "$MODE" != airgap ] || say "$(arm-linux-gnueabihf-gcc --version | head -n 1)"
	[ -x "$BINDGEN" ] || BINDGEN=$(command -v bindgen)
	say "$("$BINDGEN" --version), from $BINDGEN"
	say "Nothing is missing."
}

# --- sources of an air-gapped build ----------------------------------------------------------------------------------------

sum() { sha256sum "$1" | cut -d' ' -f1; }
linux_archive() { # the kernel's archive in SOURCES, by its own name or else by that of the pool
	local own=$SOURCES/linux/linux-$LINUX_VERSION.tar.xz
	if [ -f "$own" ]; then printf '%s\n' "$own"; else printf '%s/linux/%s\n' "$SOURCES" "$(basename "$LINUX_POOL")"; fi
}

musl_archive() { printf '%s/musl/%s\n' "$SOURCES" "$(basename "$MUSL_URL")"; }

fetch_sources() {
	local archive name
	mkdir -p "$SOURCES/linux" "$SOURCES/musl" "$SOURCES/br-cargo-home"
	archive=$("$TOP/scripts/fetch.sh" linux)
	case $(sum "$archive") in
	"$LINUX_SHA256") name=linux-$LINUX_VERSION.tar.xz ;;
	*) name=$(basename "$LINUX_POOL") ;;
	esac
	cp -n "$archive" "$SOURCES/linux/$name"
	cp -n "$("$TOP/scripts/fetch.sh" musl)" "$(musl_archive)"
	long sources-crates "Fetching the crates of user space and of Rust's library" fetch_crates
}
cargo_fetch() { # HOME ARGUMENTS...: every crate that the device and the tools of this machine are made of
	local home=$1
	shift
	RUSTC_BOOTSTRAP=1 CARGO_HOME=$home cargo fetch --locked -Zbuild-std=std,panic_abort "$@" \
		--manifest-path "$TOP/Cargo.toml" --target "$TARGET" --target "$(rustc -vV | sed -n 's/^host: //p')"
}
fetch_crates() {
	cargo_fetch "$SOURCES/br-cargo-home"
	# Unpacked crates are made again from these.
	rm -rf "$SOURCES/br-cargo-home/registry/src"
}

source_line() { # NAME FILE HASH...
	local name=$1 file=$2 actual
	shift 2
	if [ ! -e "$file" ]; then
		problem "$name is not in $SOURCES: $fill"
		return
	fi
	actual=$(sum "$file")
	case " $* " in
	*" $actual "*) say "present  $name  $actual  $file" ;;
	*) problem "$file has sha256 $actual, which is none of $*: remove it, and $fill" ;;
	esac
}
crates_suffice() { # cargo says so, without a network and without writing to SOURCES
	local home part lacking known=$OUT/buildroot/crates.known now
	now=$({ find "$SOURCES/br-cargo-home/registry/cache" -name '*.crate' -printf '%f\n' | sort; rustc --version; cat "$TOP/Cargo.lock"; } | sha256sum)
	[ "$(cat "$known" 2>/dev/null)" != "$now" ] || return 0
	home=$(mktemp -d "$OUT/.crates.XXXXXX")
	mkdir "$home/registry"
	for part in cache index; do ln -s "$SOURCES/br-cargo-home/registry/$part" "$home/registry/$part"; done
	if lacking=$(cargo_fetch "$home" --offline 2>&1); then
		mkdir -p "$OUT/buildroot"
		say "$now" >"$known"
	else
		problem "the crates in $SOURCES are not all that Cargo.lock wants ($(sed -n 's/^error: //p' <<<"$lacking" | head -n 1)): $fill"
	fi
	rm -rf "$home"
}
crate_lines() { # each crate that a lock file names, by the hash in it; those for other machines are not needed
	local lock crate want=0 here=0 name version hash
	for lock in "$TOP/Cargo.lock" "$(rustc --print sysroot)/lib/rustlib/src/rust/library/Cargo.lock"; do
		while read -r name version hash; do
			want=$((want + 1))
			crate=$(find "$SOURCES/br-cargo-home/registry/cache" -name "$name-$version.crate" 2>/dev/null | head -n 1 || true)
			[ -n "$crate" ] || continue
			here=$((here + 1))
			[ "$(sum "$crate")" = "$hash" ] || problem "$crate has not the hash that $lock has: remove it, and $fill"
		done < <(awk -F'"' '$1 == "name = " { name = $2 } $1 == "version = " { version = $2 } $1 == "checksum = " { print name, version, $2 }' "$lock")
	done
	if [ "$here" -eq 0 ]; then
		problem "the crates of user space and of Rust's library are not in $SOURCES: $fill"
	else
		say "present  $here of $want crates; the others are for other machines"
		crates_suffice
	fi
}
sources() {
	[ -n "$SOURCES" ] || die "SOURCES is not set: name the folder with the sources of an air-gapped build, and add FETCH=1 to fill it on a machine with a network"
	[ -z "${FETCH:-}" ] || mkdir -p "$SOURCES"
	[ -d "$SOURCES" ] || die "SOURCES=$SOURCES is no folder"
	SOURCES=$(cd "$SOURCES" && pwd)
	fill="say 'make image-sources SOURCES=$SOURCES FETCH=1' where there is a network"
	[ -z "${FETCH:-}" ] || fetch_sources
	source_line "linux $LINUX_VERSION" "$(linux_archive)" "$LINUX_SHA256" "$LINUX_POOL_SHA256"
	source_line "musl $MUSL_VERSION" "$(musl_archive)" "$MUSL_SHA256"
	crate_lines
	complain
}

# --- configuration ---------------------------------------------------------------------------------------------------------

airgap_settings() { # what depends on this machine
	local gcc headers archive
	gcc=$(arm-linux-gnueabihf-gcc -dumpversion | cut -d. -f1)
	headers=$(awk '$2 == "LINUX_VERSION_CODE" { printf "%d_%d", $3 / 65536, $3 / 256 % 256 }' "$OUT/sdk/sysroot/usr/include/linux/version.h")
	archive=$(linux_archive)
	cat <<-EOF
		BR2_TOOLCHAIN_EXTERNAL_PATH="$OUT/buildroot/toolchain"
		BR2_TOOLCHAIN_EXTERNAL_GCC_$gcc=y
		BR2_TOOLCHAIN_EXTERNAL_HEADERS_$headers=y
		BR2_PRIMARY_SITE="file://$SOURCES"
	EOF
	if [ "$(basename "$archive")" != "linux-$LINUX_VERSION.tar.xz" ]; then
		cat <<-EOF
			# BR2_LINUX_KERNEL_CUSTOM_VERSION is not set
			# BR2_LINUX_KERNEL_CUSTOM_VERSION_VALUE is not set
			BR2_LINUX_KERNEL_CUSTOM_TARBALL=y
			BR2_LINUX_KERNEL_CUSTOM_TARBALL_LOCATION="file://$archive"
		EOF
	fi
}

survived() { # CONFIG FILE...: every symbol that the files ask for is in the configuration, the last one to speak winning
	local config=$1
	shift
	awk '
	FNR == 1 { file++ }
	{ symbol = "" }
	/^BR2_[A-Za-z0-9_]+=/ { symbol = $0; sub(/=.*/, "", symbol) }
	/^# BR2_[A-Za-z0-9_]+ is not set$/ { symbol = $2 }
	!symbol { next }
	file == 1 { now[symbol] = $0; next }
	{ want[symbol] = $0 }
	END {
		for (symbol in want) {
			off = want[symbol] ~ /^#/
			# What is to be off may be out of sight, too, and so may an empty string.
			if (want[symbol] == now[symbol] || off && now[symbol] !~ /=/ || want[symbol] ~ /=""$/ && now[symbol] == "") continue
			printf "error: the configuration wants %s, but has %s\n", want[symbol], symbol in now ? now[symbol] : "no such symbol"
			lost = 1
		}
		exit lost
	}' "$config" "$@" >&2
}

configure() { # OUTPUT FILE...
	local out=$1
	shift
	mkdir -p "$out"
	[ ! -f "$out/.config" ] || cp -p "$out/.config" "$out/.config.kept"
	rm -f "$out/.config"
	(cd "$BUILDROOT" && KCONFIG_CONFIG=$out/.config support/kconfig/merge_config.sh -m -O "$out" "$@")
	make -C "$BUILDROOT" O="$out" BR2_EXTERNAL="$EXTERNAL" olddefconfig
	survived "$out/.config" "$@" || die "symbols did not survive Kconfig: look up what they depend on, with 'make menuconfig' in $out"
	# An equal configuration keeps its time, or everything would be built again.
	if cmp -s "$out/.config.kept" "$out/.config"; then mv "$out/.config.kept" "$out/.config"; fi
	rm -f "$out/.config.kept" "$out/.config.old"
}

config() { # after the doctor
	local files=("$EXTERNAL/configs/$DEFCONFIG")
	if [ "$MODE" = airgap ]; then
		FETCH='' sources >"$LOGS/image-sources.log"
		MUSL_TARBALL=$(musl_archive) "$TOP/scripts/sdk.sh"
		mkdir -p "$OUT/buildroot"
		"$TOP/scripts/image-toolchain.sh" "$OUT/buildroot/toolchain"
		airgap_settings >"$IMAGE_OUT/airgap.config"
		files+=("$EXTERNAL/configs/airgap.fragment" "$IMAGE_OUT/airgap.config")
	fi
	long image-config "Configuring Buildroot for $DEFCONFIG ($MODE)" configure "$IMAGE_OUT" "${files[@]}"
}

# --- build -----------------------------------------------------------------------------------------------------------------

tidy() { # what an interrupted build left half unpacked or half patched is unpacked anew
	local directory
	for directory in "$IMAGE_OUT"/build/*/; do
		if [ ! -e "$directory/.stamp_patched" ] && [ ! -e "$directory/.stamp_rsynced" ] && [ ! -e "$directory/.stamp_host_installed" ] &&
			[ -e "$directory/.stamp_downloaded" ]; then
			rm -rf "$directory"
		fi
	done
}

changed() { # NAME FILE...: whether the files and standard input are others than at the last good build, or at the first try
	local name=$1
	shift
	digest_of "$@" >"$IMAGE_OUT/.$name.now"
	[ -f "$IMAGE_OUT/.$name.built" ] || cp "$IMAGE_OUT/.$name.now" "$IMAGE_OUT/.$name.built"
	! cmp -s "$IMAGE_OUT/.$name.now" "$IMAGE_OUT/.$name.built"
}
remember() {
	local file
	(cd "$IMAGES" && find . -type f -not -name 'sbom.*' -exec sha256sum {} +) >"$IMAGE_OUT/.images.now" || return
	for file in "$IMAGE_OUT"/.*.now; do mv "$file" "${file%.now}.built"; done
}

settings() { # all that counts of the configuration: Buildroot writes the commit of this tree into it, too
	say "$buildroot_version"
	grep '^BR2_' "$IMAGE_OUT/.config" | grep -v '^BR2_EXTERNAL_NACRE_VERSION='
}

inputs() { # what goes into the image beside the folders of this tree: settings, compilers, and the files that the settings name
	local word words
	settings
	rustc --version
	"$CLANG" --version
	(cd "$TOP" && find userspace modules samples -name Cargo.toml -exec cat Cargo.toml {} +)
	mapfile -t words < <(sed -n 's/^BR2_[A-Z0-9_]*="\(.*\)"$/\1/p' "$IMAGE_OUT/.config" | tr ' ' '\n')
	for word in "${words[@]}"; do [ ! -f "$word" ] || cat "$word"; done
	mapfile -t words < <(sed -n 's/^BR2_ROOTFS_OVERLAY="\(.*\)"$/\1/p' "$IMAGE_OUT/.config" | tr ' ' '\n')
	for word in "${words[@]}"; do [ ! -d "$word" ] || tar -cf - --sort=name -C "$word" .; done
}
unchanged() { # since the last good build, all that goes into the image, and what came out of it
	digest_of userspace modules samples board kernel-patches buildroot-external scripts Cargo.lock \
		< <(inputs) >"$IMAGE_OUT/.inputs.now"
	cmp -s "$IMAGE_OUT/.inputs.now" "$IMAGE_OUT/.inputs.built" && (cd "$IMAGES" && sha256sum --quiet --check "$IMAGE_OUT/.images.built") >/dev/null 2>&1
}

build_all() { # build asks whether it failed, and where that is asked a failure within does not end it by itself
	local goals=()
	tidy
	if [ "$MODE" = airgap ]; then
		mkdir -p "$BR2_DL_DIR/br-cargo-home" || return
		rsync -a --ignore-existing "$SOURCES/br-cargo-home/" "$BR2_DL_DIR/br-cargo-home/" || return
	fi
	# Buildroot does not see changes by itself: after one of its configuration it wants to build all again, and local sources
	# are built again on request. Cargo finds out by itself what is to be done in user space.
	if changed configuration buildroot-external/external.desc < <(settings); then
		br clean || return
	else
		if changed patches kernel-patches; then br linux-dirclean || return; fi
		changed kernel modules board buildroot-external/linux && goals+=(linux-nacre-modules linux-reconfigure)
		[ ! -e "$IMAGES/rootfs.squashfs" ] || goals+=(nacre-rebuild)
	fi
	br "${goals[@]}" all && remember
}

build() {
	doctor
	mkdir -p "$BR2_DL_DIR"
	# What an interrupted build left running holds this lock, too.
	exec 8>"$IMAGE_OUT/.lock"
	flock -n 8 || die "another build is at work in $IMAGE_OUT: wait for its end and say the same again"
	config
	if unchanged; then
		say "Nothing changed since the last build."
	elif ! long image "Building the image with Buildroot (six to fifteen minutes from nothing on two cores)" build_all; then
		if grep -q 'No space left on device' "$LOGS/image.log"; then
			die "the disk with $IMAGE_OUT is full: make room and say the same again"
		elif grep -q '^ERROR: .* has wrong .* hash' "$LOGS/image.log"; then
			die "$(sed -n 's/^ERROR: \(.* has wrong .* hash\).*/\1/p' "$LOGS/image.log" | head -n 1): remove that file from $BR2_DL_DIR${SOURCES:+ and from $SOURCES} and say the same again"
		fi
		die "the image was not built, see $LOGS/image.log; after the cause is gone, the same command goes on where it stopped"
	fi
	exec 8>&-
	say "Image: kernel $(stat -c %s "$IMAGES/zImage") bytes, root $(stat -c %s "$IMAGES/rootfs.squashfs") bytes, in ${IMAGES#"$PWD"/}"
	grep -h '^notice:' "$LOGS/image.log" | tail -n 1 || true
}

# --- checks ----------------------------------------------------------------------------------------------------------------

failed=0
step() { # NAME COMMAND...
	local name=$1
	shift
	if ("$@") >"$LOGS/image-check-$name.log" 2>&1; then
		say "ok      $name"
	else
		say "FAILED  $name"
		tail -n 20 "$LOGS/image-check-$name.log" | sed 's/^/  | /'
		failed=$((failed + 1))
	fi
}

check_package() {
	local ignored=$IMAGE_OUT/.check-package-ignore
	# The glue writes variables of Buildroot's packages on purpose, and a macro of make has its own indentation.
	printf '%s\n' "$EXTERNAL/linux/linux-ext-nacre.mk lib_mk.TypoInPackageVariable" \
		"$EXTERNAL/airgap/system-tools.mk lib_mk.Indent lib_mk.TypoInPackageVariable" >"$ignored"
	# From Buildroot's folder, where the settings of the checkers lie.
	cd "$BUILDROOT" || exit
	find "$EXTERNAL" -type f -not -name '*.pyc' -not -path '*/golden/*' -print0 | xargs -0 utils/check-package -b --ignore-list="$ignored"
}
round_trip() { # DEFCONFIG: nothing in it is a default, unknown, or out of order
	work=$(mktemp -d "$IMAGE_OUT/.round-trip.XXXXXX")
	trap 'rm -rf "$work"' EXIT
	configure "$work" "$EXTERNAL/configs/$1"
	make -C "$BUILDROOT" O="$work" BR2_EXTERNAL="$EXTERNAL" BR2_DEFCONFIG="$work/defconfig" savedefconfig || die "$1 cannot be saved"
	diff <(grep -v '^# [^B]' "$EXTERNAL/configs/$1") <(sed '/^BR2_DEFCONFIG=/d' "$work/defconfig")
}
downloads() { # an air-gapped build would download the kernel and nothing else
	local all more
	all=$(br -s external-deps) || die "Buildroot does not say what it would download"
	more=$(grep -vE '^(file://|make|linux[-_])' <<<"$all" || true)
	[ -z "$more" ] || die "an air-gapped build would download ${more//$'\n'/ }"
}

check() {
	local defconfig
	check_buildroot
	mkdir -p "$IMAGE_OUT"
	if python3 -c 'import magic' 2>/dev/null && have flake8 && have shellcheck; then
		step check-package check_package
	else
		say "skipped check-package (it needs python3-magic, flake8 and shellcheck)"
	fi
	for defconfig in "$EXTERNAL"/configs/*_defconfig; do
		step "round-trip-$(basename "$defconfig" _defconfig)" round_trip "$(basename "$defconfig")"
	done
	if [ -f "$IMAGE_OUT/airgap.config" ]; then step downloads downloads; fi
	if [ -f "$IMAGES/rootfs.squashfs" ]; then
		step root-of-buildroot "$TOP/scripts/image-listing.sh" check "$IMAGES/rootfs.squashfs"
	else
		say "skipped root-of-buildroot (no image yet: make image)"
	fi
	if [ -f "$OUT/image/rootfs.squashfs" ]; then step root-of-quick "$TOP/scripts/image-listing.sh" check "$OUT/image/rootfs.squashfs"; fi
	[ "$failed" -eq 0 ] || die "$failed checks failed; their logs are in ${LOGS#"$TOP"/}/image-check-*.log"
}

# --- tests -----------------------------------------------------------------------------------------------------------------

need_image() { [ -f "$IMAGES/rootfs.squashfs" ] || die "there is no image in $IMAGES: say 'make image' first"; }

# Buildroot's own runtime tests, on the image that `build` made.
runtime_tests() {
	local tests=$IMAGE_OUT/tests
	rm -rf "$tests"
	mkdir -p "$tests/$class/host/bin"
	ln -s "$IMAGES" "$tests/$class/images"
	touch "$tests/$class/build-done"
	if [ -x "$EMULATOR" ]; then ln -s "$EMULATOR" "$tests/$class/host/bin/qemu-system-arm"; fi
	cd "$EXTERNAL/tests" || exit
	PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$BUILDROOT/support/testing NACRE=${NACRE:-$OUT/host/nacre} NACRE_PACKAGE=${NACRE_PACKAGE:-$OUT/samples/hello-rust.imagepackage} \
		BR_TEST_CONFIG_JSON="{\"downloaddir\": \"$IMAGE_OUT/dl\", \"outputdir\": \"$tests\", \"keepbuilds\": true, \"timeout_multiplier\": ${NACRE_TIMEOUT_SCALE:-1}}" \
		/usr/bin/python3 -m unittest -v "test_nacre.$class"
}

runtime() {
	local status=0 class
	check_buildroot
	need_image
	class=Test$(sed -E 's/(^|_)(.)/\u\2/g' <<<"${DEFCONFIG%_defconfig}")
	grep -q "^class $class(" "$EXTERNAL/tests/test_nacre.py" || die "there is no test of $DEFCONFIG: no QEMU is known for that board"
	/usr/bin/python3 -c 'import pexpect' 2>/dev/null || die "Buildroot's runtime tests need pexpect: apt-get install python3-pexpect"
	[ -x "${NACRE:-$OUT/host/nacre}" ] || die "the tests need the nacre tool: say 'make host samples' first"
	[ ! -f "$TOP/board/$BOARD/qemu/series" ] || [ -x "$EMULATOR" ] || die "the tests need the board's own QEMU: say 'make emulator BOARD=$BOARD' first"
	long image-runtime "Running the runtime tests in Buildroot's own harness" runtime_tests || status=$?
	grep -E '^(Ran|OK|FAILED)|\.\.\. (ok|FAIL|ERROR)$' "$LOGS/image-runtime.log"
	return "$status"
}

run_tests() {
	runtime
	# The quick loop's tests, with this kernel and this root in the place of its own.
	local other=$IMAGE_OUT/quick part
	rm -rf "$other"
	mkdir -p "$other/image"
	for part in sdk host device samples cargo venv emulator; do
		[ ! -e "$OUT/$part" ] || ln -s "$OUT/$part" "$other/$part"
	done
	for part in zImage kernel.config rootfs.squashfs "$BOARD.dtb"; do
		[ ! -e "$IMAGES/$part" ] || ln -s "$IMAGES/$part" "$other/image/$part"
	done
	NACRE_OUT=$other python3 "$TOP/tests/harness/run.py" "${T:-^(?!host/|bench/|image/)}"
}

# --- papers ----------------------------------------------------------------------------------------------------------------

sbom() {
	check_buildroot
	need_image
	local machine=() hash=$LINUX_SHA256 compiler=("$IMAGE_OUT"/host/bin/*-linux-musleabihf-gcc)
	if grep -q '^BR2_PACKAGE_OVERRIDE_FILE=".*system-tools.mk"' "$IMAGE_OUT/.config"; then machine=(--machine-tools "$EXTERNAL/airgap/system-tools.mk"); fi
	if grep -q "^BR2_LINUX_KERNEL_CUSTOM_TARBALL_LOCATION=.*/$(basename "$LINUX_POOL")" "$IMAGE_OUT/.config"; then hash=$LINUX_POOL_SHA256; fi
	"$TOP/scripts/image-sbom.py" "${machine[@]}" --linux "$LINUX_VERSION" --linux-hash "$hash" --buildroot "$BUILDROOT" --output "$IMAGE_OUT" --external "$EXTERNAL" \
		--built "$IMAGE_OUT/build" --gcc "$("${compiler[0]}" -dumpfullversion)" --musl "$MUSL_VERSION" --rust "$(rustc --version | cut -d' ' -f2)" \
		--lock "$TOP/Cargo.lock" --lock "$(rustc --print sysroot)/lib/rustlib/src/rust/library/Cargo.lock" >"$IMAGES/sbom.cyclonedx.json.new"
	mv "$IMAGES/sbom.cyclonedx.json.new" "$IMAGES/sbom.cyclonedx.json"
	say "SBOM: ${IMAGES#"$PWD"/}/sbom.cyclonedx.json"
}

collect_legal() { # Buildroot's own, and what it cannot see: Rust's library, the C library of a toolchain that lies ready, crates
	local crate file info=$IMAGE_OUT/legal-info rust
	rust=$(rustc --print sysroot)
	br legal-info
	mkdir -p "$info/sources/crates" "$info/licenses/rust-std"
	for file in "$rust/lib/rustlib/src/rust/COPYRIGHT" "$rust"/share/doc/rust*/COPYRIGHT*; do
		if [ -f "$file" ]; then cp "$file" "$info/licenses/rust-std/"; fi
	done
	if [ "$MODE" = airgap ]; then
		mkdir -p "$info/sources/musl" "$info/licenses/musl-$MUSL_VERSION"
		cp "$(musl_archive)" "$info/sources/musl/"
		tar -xOf "$(musl_archive)" "musl-$MUSL_VERSION/COPYRIGHT" >"$info/licenses/musl-$MUSL_VERSION/COPYRIGHT"
	fi
	for crate in "$BR2_DL_DIR"/br-cargo-home/registry/src/*/*/; do
		mkdir -p "$info/licenses/crates/$(basename "$crate")"
		find "$crate" -maxdepth 2 -type f -regextype posix-extended -iregex '.*/(licen[cs]e|copying|copyright|notice|unlicense)[^/]*' -exec cp {} "$info/licenses/crates/$(basename "$crate")/" \;
		cp "$BR2_DL_DIR"/br-cargo-home/registry/cache/*/"$(basename "$crate").crate" "$info/sources/crates/"
	done
	(cd "$info" && find . -type f ! -name legal-info.sha256 -printf '%P\n' | LC_ALL=C sort | xargs sha256sum >"$IMAGE_OUT/legal-info.sha256")
	mv "$IMAGE_OUT/legal-info.sha256" "$info/"
}

legal() {
	check_buildroot
	need_image
	if [ "$MODE" = airgap ]; then FETCH='' sources >"$LOGS/image-sources.log"; fi
	long image-legal "Collecting licences and sources" collect_legal
	say "Licences, sources and their hashes: ${IMAGE_OUT#"$PWD"/}/legal-info"
}

reproduce() { # the image once more, at another time, from sources in another folder into another folder
	local again=$IMAGE_OUT-again file differ=0
	doctor
	need_image
	rm -rf "$again"
	mkdir -p "$again/source"
	rsync -a --exclude=/out --exclude=/.git --exclude=target "$TOP/" "$again/source/"
	NACRE_OUT=$again/out IMAGE_OUT=$again/image "$again/source/scripts/image.sh" build
	for file in zImage rootfs.squashfs flash.img; do
		[ -f "$IMAGES/$file" ] || continue
		if cmp "$IMAGES/$file" "$again/image/images/$file"; then
			say "same    $file $(sum "$IMAGES/$file")"
		else
			say "DIFFERS $file"
			differ=1
			if [ "$file" = rootfs.squashfs ]; then
				unsquashfs -q -n -d "$again/a" "$IMAGES/$file" >/dev/null 2>&1 || true
				unsquashfs -q -n -d "$again/b" "$again/image/images/$file" >/dev/null 2>&1 || true
				diff -rq "$again/a" "$again/b" | head -n 1
			fi
		fi
	done
	[ "$differ" -eq 0 ] || die "two builds of the same sources differ; both are kept, in $IMAGE_OUT and $again"
	rm -rf "$again"
}

tools() { # for Buildroot's makefiles: the compilers that the quick loop uses, as words NAME=VALUE
	[ -x "$BINDGEN" ] || BINDGEN=$(command -v bindgen || true)
	say "LLVM=${LLVM_SUFFIX:-1} RUSTC=$(command -v rustc || true) CARGO=$(command -v cargo || true) BINDGEN=$BINDGEN"
}

case ${1:-} in
doctor) report ;;
sources) sources ;;
config) doctor; config ;;
build) build ;;
check) check ;;
runtime) runtime ;;
test) run_tests ;;
sbom) sbom ;;
legal) legal ;;
reproduce) reproduce ;;
tools) tools ;;
*) die "unknown part '${1:-}': doctor, sources, config, build, check, runtime, test, sbom, legal, reproduce or tools" ;;
esac
