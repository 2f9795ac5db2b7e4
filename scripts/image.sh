#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# The image by Buildroot: image.sh doctor|sources|config|build|check|runtime|test|sbom|legal|reproduce
#
#   BUILDROOT=/path    a Buildroot checkout or release; never downloaded and never written to
#   IMAGE_MODE=airgap  nothing is downloaded: toolchain and tools of this machine, sources from SOURCES=/path
#   FETCH=1            with sources: fills SOURCES, on a machine with a network
#   DEFCONFIG=name     another configuration of buildroot-external/configs
#   IMAGE_OUT=/path    where Buildroot works; out/buildroot/<configuration> unless set
. "$(dirname "$0")/lib.sh"
. "$TOP/scripts/pins.sh"
. "$TOP/scripts/tools.sh"

BUILDROOT_PIN=2026.08
EXTERNAL=$TOP/buildroot-external
DEFCONFIG=${DEFCONFIG:-nacre_${BOARD//-/_}_defconfig}
MODE=${IMAGE_MODE:-online}
IMAGE_OUT=${IMAGE_OUT:-$OUT/buildroot/${DEFCONFIG%_defconfig}}
IMAGES=$IMAGE_OUT/images
NEEDED_MIB=3000
# What an air-gapped build takes from the folder SOURCES, laid out as Buildroot's own download folder.
SOURCES=${SOURCES:-}
# Nothing of the caller's settings reaches the build.
unset CARGO_HOME CARGO_TARGET_DIR CROSS_COMPILE ARCH CC CFLAGS LDFLAGS MAKEFLAGS MAKELEVEL MFLAGS GREP_OPTIONS PERL_MM_OPT

br() { make -C "$BUILDROOT" O="$IMAGE_OUT" BR2_EXTERNAL="$EXTERNAL" "$@"; }

# --- doctor: what the machine has, and what to do about the rest -----------------------------------------------------------

problems=()
problem() { problems+=("$*"); }

check_buildroot() {
	local version
	if [ -z "${BUILDROOT:-}" ]; then
		die "BUILDROOT is not set: get Buildroot $BUILDROOT_PIN (a release archive or a git checkout) and say BUILDROOT=/path/to/it"
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
	local free name
	tool rustc rustc
	tool cargo cargo
	for name in make gcc g++ patch perl cpio rsync bc unzip file flex bison wget openssl unsquashfs; do tool "$name" "${name/unsquashfs/squashfs-tools}"; done
	if have rustc; then
		[ -f "$(rustc --print sysroot)/lib/rustlib/src/rust/library/std/Cargo.toml" ] || problem "the Rust library sources are not installed (apt-get install rust-src)"
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
	if [ ! -f "$IMAGES/rootfs.squashfs" ] && [ "$free" -lt "$NEEDED_MIB" ]; then
		problem "$IMAGE_OUT has $free MiB free and a build needs $NEEDED_MIB: make room, or set IMAGE_OUT"
	fi
	case $IMAGE_OUT in *[[:space:]:]*) problem "Buildroot cannot work in '$IMAGE_OUT': the path has a space or a colon" ;; esac
	case $MODE in online | airgap) ;; *) problem "IMAGE_MODE=$MODE is unknown: online or airgap" ;; esac
	[ -f "$EXTERNAL/configs/$DEFCONFIG" ] || problem "there is no buildroot-external/configs/$DEFCONFIG; there are: $(cd "$EXTERNAL/configs" && echo *_defconfig)"
}

doctor() {
	check_buildroot
	check_machine
	if [ ${#problems[@]} -gt 0 ]; then
		printf 'error: %s\n' "${problems[@]}" >&2
		exit 1
	fi
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
linux_archive() { # the kernel's archive in SOURCES, by whichever of its two names
	local name
	for name in "linux-$LINUX_VERSION.tar.xz" "$(basename "$LINUX_POOL")"; do
		if [ -f "$SOURCES/linux/$name" ]; then
			printf '%s/linux/%s\n' "$SOURCES" "$name"
			return
		fi
	done
}

fetch_sources() {
	local archive name
	mkdir -p "$SOURCES/linux" "$SOURCES/musl" "$SOURCES/br-cargo-home"
	archive=$("$TOP/scripts/fetch.sh" linux)
	case $(sum "$archive") in
	"$LINUX_SHA256") name=linux-$LINUX_VERSION.tar.xz ;;
	*) name=$(basename "$LINUX_POOL") ;;
	esac
	cp -n "$archive" "$SOURCES/linux/$name"
	cp -n "$("$TOP/scripts/fetch.sh" musl)" "$SOURCES/musl/$(basename "$MUSL_URL")"
	long sources-crates "Fetching the crates of user space and of Rust's library" fetch_crates
}
fetch_crates() {
	RUSTC_BOOTSTRAP=1 CARGO_HOME=$SOURCES/br-cargo-home cargo fetch --locked -Zbuild-std=std,panic_abort \
		--manifest-path "$TOP/userspace/Cargo.toml" --target "$TARGET" --target "$(rustc -vV | sed -n 's/^host: //p')"
	# Unpacked crates are made again from these.
	rm -rf "$SOURCES/br-cargo-home/registry/src"
}

missing=0
source_line() { # NAME FILE EXPECTED...
	local name=$1 file=$2 actual
	shift 2
	if [ -z "$file" ] || [ ! -e "$file" ]; then
		printf 'missing  %-14s %s\n' "$name" "$*"
		missing=$((missing + 1))
		return
	fi
	actual=$(sum "$file")
	case " $* " in
	*" $actual "*) printf 'present  %-14s %s %s\n' "$name" "$actual" "$file" ;;
	*)
		printf 'WRONG    %-14s %s has sha256 %s, expected %s\n' "$name" "$file" "$actual" "$*"
		missing=$((missing + 1))
		;;
	esac
}
crate_lines() { # each crate that a lock file names, by the hash in it; those for other machines are not needed
	local lock crate want=0 have=0 wrong=0 name version hash
	for lock in "$TOP/userspace/Cargo.lock" "$(rustc --print sysroot)/lib/rustlib/src/rust/library/Cargo.lock"; do
		[ -f "$lock" ] || continue
		while read -r name version hash; do
			want=$((want + 1))
			crate=$(find "$SOURCES/br-cargo-home/registry/cache" -name "$name-$version.crate" 2>/dev/null | head -n 1 || true)
			[ -n "$crate" ] || continue
			have=$((have + 1))
			[ "$(sum "$crate")" = "$hash" ] || { printf 'WRONG    crate %s %s has not the hash of %s\n' "$name" "$version" "$lock"; wrong=$((wrong + 1)); }
		done < <(awk -F'"' '$1 == "name = " { name = $2 } $1 == "version = " { version = $2 } $1 == "checksum = " { print name, version, $2 }' "$lock")
	done
	if [ "$have" -eq 0 ]; then
		printf 'missing  %-14s %d crates by their lock files\n' crates "$want"
		missing=$((missing + 1))
	else
		printf 'present  %-14s %d of %d crates; the others are for other machines\n' crates "$have" "$want"
	fi
	missing=$((missing + wrong))
}
sources() {
	[ -n "$SOURCES" ] || die "SOURCES is not set: name the folder with the sources of an air-gapped build, and add FETCH=1 to fill it on a machine with a network"
	mkdir -p "$SOURCES" 2>/dev/null || true
	SOURCES=$(cd "$SOURCES" && pwd) || die "SOURCES=$SOURCES is no folder"
	[ -z "${FETCH:-}" ] || fetch_sources
	source_line "linux $LINUX_VERSION" "$(linux_archive)" "$LINUX_SHA256" "$LINUX_POOL_SHA256"
	source_line "musl $MUSL_VERSION" "$SOURCES/musl/$(basename "$MUSL_URL")" "$MUSL_SHA256"
	crate_lines
	[ "$missing" -eq 0 ] || die "$missing of the sources in $SOURCES are missing or wrong: remove the wrong ones and say 'make image-sources SOURCES=$SOURCES FETCH=1' where there is a network"
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
	(cd "$BUILDROOT" && KCONFIG_CONFIG="$out/.config.wanted" support/kconfig/merge_config.sh -m -O "$out" "$@")
	[ -f "$out/.config.wanted" ] || mv "$out/.config" "$out/.config.wanted"
	# An equal configuration keeps its time, or everything would be built again.
	cp "$out/.config.wanted" "$out/.config.new"
	rm "$out/.config.wanted"
	if [ -f "$out/.config" ]; then cp -p "$out/.config" "$out/.config.kept"; fi
	mv "$out/.config.new" "$out/.config"
	make -C "$BUILDROOT" O="$out" BR2_EXTERNAL="$EXTERNAL" olddefconfig
	survived "$out/.config" "$@" || die "symbols did not survive Kconfig: look up what they depend on, with 'make menuconfig' in $out"
	if [ -f "$out/.config.kept" ] && cmp -s "$out/.config.kept" "$out/.config"; then mv "$out/.config.kept" "$out/.config"; fi
	rm -f "$out/.config.kept" "$out/.config.old"
}

config() {
	doctor
	local files=("$EXTERNAL/configs/$DEFCONFIG")
	if [ "$MODE" = airgap ]; then
		(sources) >"$LOGS/image-sources.log" || { grep -v '^present' "$LOGS/image-sources.log" >&2; exit 1; }
		SOURCES=$(cd "$SOURCES" && pwd)
		MUSL_TARBALL=$SOURCES/musl/$(basename "$MUSL_URL") "$TOP/scripts/sdk.sh"
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

changed() { # NAME FILE...: whether the files are others than at the last good build, or at the first try
	local name=$1
	shift
	digest_of "$@" </dev/null >"$IMAGE_OUT/.$name.now"
	[ -f "$IMAGE_OUT/.$name.built" ] || cp "$IMAGE_OUT/.$name.now" "$IMAGE_OUT/.$name.built"
	! cmp -s "$IMAGE_OUT/.$name.now" "$IMAGE_OUT/.$name.built"
}
remember() {
	local file
	for file in "$IMAGE_OUT"/.*.now; do mv "$file" "${file%.now}.built"; done
}

build_all() {
	local goals=()
	tidy
	if [ "$MODE" = airgap ]; then
		mkdir -p "$BR2_DL_DIR/br-cargo-home"
		rsync -a --ignore-existing "$SOURCES/br-cargo-home/" "$BR2_DL_DIR/br-cargo-home/"
	fi
	# Buildroot does not see changes in local sources by itself.
	changed patches kernel-patches && br linux-dirclean
	changed kernel modules board buildroot-external/linux && goals+=(linux-nacre-modules linux-reconfigure)
	changed userspace userspace modules/policy board/common buildroot-external/package && goals+=(nacre-rebuild)
	[ ${#goals[@]} -eq 0 ] || br "${goals[@]}"
	br
	remember
}

build() {
	config
	export BR2_DL_DIR=${BR2_DL_DIR:-$OUT/buildroot/dl}
	mkdir -p "$BR2_DL_DIR"
	if ! long image "Building the image with Buildroot (six to fifteen minutes from nothing on two cores)" build_all; then
		if grep -q 'No space left on device' "$LOGS/image.log"; then
			die "the disk with $IMAGE_OUT is full: make room and say the same again"
		elif grep -qE 'has wrong sha256 hash|ERROR: .* hash' "$LOGS/image.log"; then
			die "$(grep -hoE 'ERROR: .*hash.*' "$LOGS/image.log" | head -n 1): remove that file from $SOURCES and from $BR2_DL_DIR, and say the same again"
		fi
		die "the image was not built; after the cause is gone, the same command goes on where it stopped"
	fi
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
	make -C "$BUILDROOT" O="$work" BR2_EXTERNAL="$EXTERNAL" BR2_DEFCONFIG="$work/defconfig" savedefconfig
	diff <(grep -v '^# [^B]' "$EXTERNAL/configs/$1") <(sed '/^BR2_DEFCONFIG=/d' "$work/defconfig")
}
golden() { # SQUASHFS: the same paths, modes, owners and classes of size
	diff <(grep -v '^#' "$EXTERNAL/golden/$BOARD.list") <("$TOP/scripts/image-listing.sh" "$1")
}
hardened() { # SQUASHFS: no interpreter, no set-id file, nothing that others than root may write
	local listing
	listing=$("$TOP/scripts/image-listing.sh" "$1")
	if grep -E '^\S*/(sh|bash|dash|busybox|python[0-9.]*|perl|lua|awk)( |$)' <<<"$listing"; then die "there is an interpreter in the root"; fi
	if awk '$3 ~ /[sS]/' <<<"$listing" | grep .; then die "there is a set-id file in the root"; fi
	if awk 'substr($3, 5, 1) == "w" || substr($3, 8, 1) == "w"' <<<"$listing" | grep .; then die "there is something in the root that others may write"; fi
}
downloads() { # what an air-gapped build would download: the kernel, nothing else
	br -s external-deps | grep -v '^file://' | grep -v '^make' | grep -vE '^linux[-_]' | grep . && die "an air-gapped build would download the above"
	return 0
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
		step golden-buildroot golden "$IMAGES/rootfs.squashfs"
		step hardened-buildroot hardened "$IMAGES/rootfs.squashfs"
	else
		say "skipped golden-buildroot (no image yet: make image)"
	fi
	if [ -f "$OUT/image/rootfs.squashfs" ]; then step golden-quick golden "$OUT/image/rootfs.squashfs"; fi
	[ "$failed" -eq 0 ] || die "$failed checks failed; their logs are in ${LOGS#"$TOP"/}/image-check-*.log"
}

# --- tests -----------------------------------------------------------------------------------------------------------------

need_image() { [ -f "$IMAGES/rootfs.squashfs" ] || die "there is no image in $IMAGES: say 'make image' first"; }

# Buildroot's own runtime tests, on the image that `build` made.
runtime_tests() {
	local tests=$IMAGE_OUT/tests
	rm -rf "$tests"
	mkdir -p "$tests/TestNacreQemuVirt"
	ln -s "$IMAGES" "$tests/TestNacreQemuVirt/images"
	touch "$tests/TestNacreQemuVirt/build-done"
	cd "$EXTERNAL/tests" || exit
	PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$BUILDROOT/support/testing NACRE=${NACRE:-$OUT/host/nacre} NACRE_PACKAGE=${NACRE_PACKAGE:-$OUT/samples/hello-rust.imagepackage} \
		BR_TEST_CONFIG_JSON="{\"downloaddir\": \"$IMAGE_OUT/dl\", \"outputdir\": \"$tests\", \"keepbuilds\": true, \"timeout_multiplier\": ${NACRE_TIMEOUT_SCALE:-1}}" \
		/usr/bin/python3 -m unittest -v test_nacre
}

runtime() {
	local status=0
	check_buildroot
	need_image
	/usr/bin/python3 -c 'import pexpect' 2>/dev/null || die "Buildroot's runtime tests need pexpect: apt-get install python3-pexpect"
	[ -x "${NACRE:-$OUT/host/nacre}" ] || die "the tests need the nacre tool: say 'make host samples' first"
	long image-runtime "Running the runtime tests in Buildroot's own harness" runtime_tests || status=$?
	grep -E '^(Ran|OK|FAILED)|\.\.\. (ok|FAIL|ERROR)$' "$LOGS/image-runtime.log"
	return "$status"
}

run_tests() {
	runtime
	# The quick loop's tests, with this kernel and this root in the place of its own.
	local other=$IMAGE_OUT/quick part
	rm -rf "$other"
	mkdir -p "$other"
	for part in sdk host device samples cargo venv; do
		[ ! -e "$OUT/$part" ] || ln -s "$OUT/$part" "$other/$part"
	done
	ln -s "$IMAGES" "$other/image"
	NACRE_OUT=$other python3 "$TOP/tests/harness/run.py" "${T:-^(boot|apps|limits|storage|install|hostile|attacks|layers|clients)/}"
}

# --- papers ----------------------------------------------------------------------------------------------------------------

sbom() {
	check_buildroot
	[ -f "$IMAGE_OUT/.config" ] || die "there is no configuration in $IMAGE_OUT: say 'make image-config' first"
	mkdir -p "$IMAGES"
	local machine=()
	if grep -q '^BR2_PACKAGE_OVERRIDE_FILE=".*system-tools.mk"' "$IMAGE_OUT/.config"; then machine=(--machine-tools "$EXTERNAL/airgap/system-tools.mk"); fi
	"$TOP/scripts/image-sbom.py" "${machine[@]}" --linux "$LINUX_VERSION" --buildroot "$BUILDROOT" --output "$IMAGE_OUT" --external "$EXTERNAL" \
		--crates "${BR2_DL_DIR:-$OUT/buildroot/dl}/br-cargo-home/registry/src" --musl "$MUSL_VERSION" --rust "$(rustc --version | cut -d' ' -f2)" \
		--lock "$TOP/userspace/Cargo.lock" --lock "$(rustc --print sysroot)/lib/rustlib/src/rust/library/Cargo.lock" >"$IMAGES/sbom.cyclonedx.json.new"
	mv "$IMAGES/sbom.cyclonedx.json.new" "$IMAGES/sbom.cyclonedx.json"
	say "SBOM: ${IMAGES#"$PWD"/}/sbom.cyclonedx.json"
}

collect_legal() { # Buildroot's own, and what it cannot see: the C library of a toolchain that lies ready, the crates in our programs
	local crate info=$IMAGE_OUT/legal-info
	br legal-info
	mkdir -p "$info/sources/crates"
	if [ "$MODE" = airgap ] && [ -f "$SOURCES/musl/$(basename "$MUSL_URL")" ]; then
		mkdir -p "$info/sources/musl" "$info/licenses/musl-$MUSL_VERSION"
		cp "$SOURCES/musl/$(basename "$MUSL_URL")" "$info/sources/musl/"
		tar -xOf "$SOURCES/musl/$(basename "$MUSL_URL")" "musl-$MUSL_VERSION/COPYRIGHT" >"$info/licenses/musl-$MUSL_VERSION/COPYRIGHT"
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
	[ -f "$IMAGE_OUT/.config" ] || die "there is no configuration in $IMAGE_OUT: say 'make image-config' first"
	export BR2_DL_DIR=${BR2_DL_DIR:-$OUT/buildroot/dl}
	long image-legal "Collecting licences and sources" collect_legal
	say "Licences, sources and their hashes: ${IMAGE_OUT#"$PWD"/}/legal-info"
}

reproduce() { # the image once more, in another folder and at another time
	local again=${IMAGE_OUT}-again file differ=0
	doctor
	need_image
	rm -rf "$again"
	IMAGE_OUT=$again "$0" build
	for file in zImage rootfs.squashfs flash.img; do
		[ -f "$IMAGES/$file" ] || continue
		if cmp "$IMAGES/$file" "$again/images/$file"; then
			say "same    $file $(sum "$IMAGES/$file")"
		else
			say "DIFFERS $file"
			differ=1
			if [ "$file" = rootfs.squashfs ]; then
				rm -rf "$again/a" "$again/b"
				unsquashfs -q -n -d "$again/a" "$IMAGES/$file" >/dev/null 2>&1 || true
				unsquashfs -q -n -d "$again/b" "$again/images/$file" >/dev/null 2>&1 || true
				diff -rq "$again/a" "$again/b" | head -n 1
			fi
		fi
	done
	[ "$differ" -eq 0 ] || die "two builds of the same sources differ; both are kept in $IMAGE_OUT and $again"
	rm -rf "$again"
}

case ${1:-} in
doctor) report ;;
sources) sources ;;
config) config ;;
build) build ;;
check) check ;;
runtime) runtime ;;
test) run_tests ;;
sbom) sbom ;;
legal) legal ;;
reproduce) reproduce ;;
*) die "unknown part '${1:-}': doctor, sources, config, build, check, runtime, test, sbom, legal or reproduce" ;;
esac
