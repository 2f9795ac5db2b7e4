################################################################################
#
# nacre (SPDX-License-Identifier: Apache-2.0 OR MIT)
#
################################################################################

NACRE_VERSION = 0.1.0
NACRE_SITE = $(NACRE_TOP)/userspace
NACRE_SITE_METHOD = local
NACRE_OVERRIDE_SRCDIR_RSYNC_EXCLUSIONS = --exclude=/fuzz --exclude=target
NACRE_LICENSE = Apache-2.0 OR MIT, GPL-2.0 (kernel code)
NACRE_LICENSE_FILES = LICENSE Apache-2.0.txt MIT.txt GPL-2.0.txt

NACRE_ROOT_LIST = $(NACRE_TOP)/board/common/rootfs.list
# The programs that the list asks for; each is a crate of the workspace.
NACRE_PROGRAMS = $(patsubst program:%,%,$(filter program:%,$(shell cat $(NACRE_ROOT_LIST))))

NACRE_RUST_TARGET = armv7-unknown-linux-musleabihf
NACRE_RUST_TARGET_ENV = $(subst -,_,$(NACRE_RUST_TARGET))
NACRE_CARGO_TARGET_DIR = $(@D)/target
NACRE_CARGO = $(call nacre-choose,CARGO,BR2_PACKAGE_NACRE_CARGO)

# The C library of the toolchain, not a copy that comes with Rust; the unwinder
# of its libgcc; and no path of this machine in a program.
NACRE_RUSTFLAGS = \
	-Clink-self-contained=no \
	-Ctarget-cpu=cortex-a7 \
	-Ctarget-feature=+thumb-mode \
	-Clink-arg=-Wl,--build-id=none \
	-Lnative=$(NACRE_DIR)/unwind \
	--remap-path-prefix=$(NACRE_TOP)=/nacre \
	--remap-path-prefix=$(BR_CARGO_HOME)=/cargo

# Nothing of the caller's own Rust settings.
NACRE_CARGO_ENV = \
	env -u RUSTFLAGS -u RUSTC_WRAPPER -u CARGO_ENCODED_RUSTFLAGS -u CARGO_BUILD_TARGET \
	CARGO_HOME=$(BR_CARGO_HOME) \
	RUSTC=$(call nacre-choose,RUSTC,BR2_PACKAGE_NACRE_RUSTC) \
	RUSTC_BOOTSTRAP=1 \
	NACRE_CC=$(TARGET_CC) \
	CARGO_TARGET_$(call UPPERCASE,$(NACRE_RUST_TARGET_ENV))_LINKER=$(NACRE_PKGDIR)/rust-linker.sh \
	CARGO_TARGET_$(call UPPERCASE,$(NACRE_RUST_TARGET_ENV))_RUSTFLAGS="$(NACRE_RUSTFLAGS)" \
	CC_$(NACRE_RUST_TARGET_ENV)=$(TARGET_CC) \
	AR_$(NACRE_RUST_TARGET_ENV)=$(TARGET_AR) \
	CFLAGS_$(NACRE_RUST_TARGET_ENV)="-Os -ffile-prefix-map=$(BR_CARGO_HOME)=/cargo"

NACRE_CARGO_OPTS = \
	--locked \
	--release \
	--target $(NACRE_RUST_TARGET) \
	--target-dir $(NACRE_DIR)/target \
	-Zbuild-std=std,panic_abort \
	-Zbuild-std-features=optimize_for_size \
	$(if $(BR2_PACKAGE_NACRE_OFFLINE),--offline)

# Rust's standard library asks for its unwinder by the name of another one.
define NACRE_LINK_UNWINDER
	mkdir -p $(NACRE_DIR)/unwind
	ln -sf $$($(TARGET_CC) -print-file-name=libgcc_eh.a) $(NACRE_DIR)/unwind/libunwind.a
endef
NACRE_PRE_BUILD_HOOKS += NACRE_LINK_UNWINDER

# The licences lie beside userspace/, and so do the workspace and modules/policy:
# hence it is built where it lies, with its output here.
define NACRE_COPY_LICENCES
	cp $(NACRE_TOP)/LICENSE $(NACRE_TOP)/LICENSES/*.txt $(@D)/
endef
NACRE_POST_RSYNC_HOOKS += NACRE_COPY_LICENCES

define NACRE_BUILD_CMDS
	$(TARGET_MAKE_ENV) $(NACRE_CARGO_ENV) $(NACRE_CARGO) build $(NACRE_CARGO_OPTS) \
		--manifest-path $(NACRE_TOP)/Cargo.toml \
		$(addprefix -p ,$(NACRE_PROGRAMS))
endef

define NACRE_INSTALL_TARGET_CMDS
	NACRE_TOP=$(NACRE_TOP) \
	NACRE_BOARD_DIR=$(NACRE_BOARD_DIR) \
	NACRE_PROGRAMS_DIR=$(NACRE_DIR)/target/$(NACRE_RUST_TARGET)/release \
	NACRE_STAGING=$(STAGING_DIR) \
	NACRE_STRIP=$(TARGET_CROSS)strip \
	NACRE_TRUSTED_KEY=$(BR2_PACKAGE_NACRE_TRUSTED_KEY) \
	NACRE_DEVICE_API_CERTIFICATE=$(BR2_PACKAGE_NACRE_DEVICE_API_CERTIFICATE) \
	NACRE_DEVICE_API_KEY=$(BR2_PACKAGE_NACRE_DEVICE_API_KEY) \
		$(NACRE_TOP)/scripts/install-root.sh $(TARGET_DIR)
endef

# kind, path, mode, user and group of the list, in the words of a permission
# table. Ids are numbers: a Nacre root has no /etc/passwd.
NACRE_PERMISSIONS = $(subst |,$(sep),$(shell awk '$$1 == "dir" || $$1 == "file" \
	{ printf "%s %s %s %s %s - - - - -|", $$2, substr($$1, 1, 1), $$3, $$4, $$5 }' $(NACRE_ROOT_LIST)))

# The other sources that are in the image: our kernel code and our patches.
define NACRE_ADD_KERNEL_SOURCES
	mkdir -p $(REDIST_SOURCES_DIR_TARGET)/nacre-kernel
	cp -r $(NACRE_TOP)/modules $(NACRE_TOP)/kernel-patches $(NACRE_TOP)/board $(REDIST_SOURCES_DIR_TARGET)/nacre-kernel/
endef
NACRE_POST_LEGAL_INFO_HOOKS += NACRE_ADD_KERNEL_SOURCES

$(eval $(generic-package))
