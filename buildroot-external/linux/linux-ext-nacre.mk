################################################################################
#
# Nacre's kernel (SPDX-License-Identifier: Apache-2.0 OR MIT)
#
################################################################################

# Buildroot's linux.mk includes linux/linux-ext-*.mk of every external tree just
# before it makes a package of the kernel: late enough to amend its variables,
# early enough for dependencies to count. This is no extension in the sense of
# LINUX_EXTENSIONS, which bring a package with files for the kernel.

ifeq ($(BR2_LINUX_KERNEL_EXT_NACRE),y)

include $(call qstrip,$(BR2_EXTERNAL_NACRE_PATH))/nacre.mk

NACRE_LINUX_VARIANT := $(call qstrip,$(BR2_LINUX_KERNEL_EXT_NACRE_VARIANT))
NACRE_LINUX_LIST := $(NACRE_BOARD_DIR)/kernel$(addprefix -,$(NACRE_LINUX_VARIANT)).fragments
NACRE_LINUX_FRAGMENTS := $(addprefix $(NACRE_TOP)/,$(filter %.config,$(if $(wildcard $(NACRE_LINUX_LIST)),$(shell cat $(NACRE_LINUX_LIST)))))

ifeq ($(BR_BUILDING)$(NACRE_LINUX_FRAGMENTS),y)
$(error There is no $(NACRE_LINUX_LIST): check BR2_PACKAGE_NACRE_BOARD and BR2_LINUX_KERNEL_EXT_NACRE_VARIANT)
endif

# tinyconfig is a goal of the kernel's makefile, not a file of that name.
LINUX_KCONFIG_DEFCONFIG = tinyconfig
LINUX_KCONFIG_FRAGMENT_FILES = $(NACRE_LINUX_FRAGMENTS)

# linux.mk hands over HOSTCC with compiler flags in it, but the kernel runs
# "rustc -Clinker=$(HOSTCC)" for procedural macros, where it can only be one
# word. The last assignment on a command line wins.
LINUX_MAKE_FLAGS += \
	HOSTCC="$(HOSTCC_NOCCACHE)" \
	HOSTCFLAGS="$(subst -I/,-isystem /,$(subst -I /,-isystem /,$(HOST_CFLAGS)))" \
	HOSTLDFLAGS="$(HOST_LDFLAGS)"

NACRE_LINUX_RUSTC = $(call nacre-choose,RUSTC,BR2_LINUX_KERNEL_EXT_NACRE_RUSTC)
NACRE_LINUX_RUST_LIB_SRC = $(call qstrip,$(BR2_LINUX_KERNEL_EXT_NACRE_RUST_LIB_SRC))
LINUX_MAKE_FLAGS += \
	RUSTC="$(NACRE_LINUX_RUSTC)" \
	HOSTRUSTC="$(NACRE_LINUX_RUSTC)" \
	BINDGEN="$(call nacre-choose,BINDGEN,BR2_LINUX_KERNEL_EXT_NACRE_BINDGEN)" \
	$(if $(NACRE_LINUX_RUST_LIB_SRC),RUST_LIB_SRC="$(NACRE_LINUX_RUST_LIB_SRC)")

ifeq ($(BR2_LINUX_KERNEL_EXT_NACRE_LLVM),y)
LINUX_MAKE_FLAGS += LLVM="$(call nacre-choose,LLVM,BR2_LINUX_KERNEL_EXT_NACRE_LLVM_SUFFIX)"
# The kernel has clang treat unknown warnings as errors, and this is one.
LINUX_CFLAGS := $(filter-out -Wno-attribute-alias,$(LINUX_CFLAGS))
endif

# The same kernel from the quick loop and from here, on any day.
LINUX_MAKE_ENV += \
	KBUILD_BUILD_VERSION=1 \
	KBUILD_BUILD_USER=nacre \
	KBUILD_BUILD_HOST=nacre \
	KBUILD_BUILD_TIMESTAMP=@0

# Our kernel code becomes a folder of the kernel, with what is built there kept.
# A change of it is seen by linux-rebuild, a change of its Kconfig by
# "make linux-nacre-modules linux-reconfigure".
define NACRE_LINUX_COPY_MODULES
	rsync -rlc --delete --filter='P *.o' --filter='P *.a' --filter='P .*' --filter='P modules.order' \
		$(NACRE_TOP)/modules/ $(LINUX_DIR)/nacre/
endef
LINUX_POST_PATCH_HOOKS += NACRE_LINUX_COPY_MODULES
LINUX_PRE_BUILD_HOOKS += NACRE_LINUX_COPY_MODULES

.PHONY: linux-nacre-modules
linux-nacre-modules: linux-patch
	$(NACRE_LINUX_COPY_MODULES)

# On the final .config, just before the build. Without CONFIG_RUST the kernel's
# own words say what does not fit.
define NACRE_LINUX_CHECK_CONFIG
	$(Q)grep -q '^CONFIG_RUST=y' $(@D)/.config || \
		$(LINUX_MAKE_ENV) $(BR2_MAKE) $(LINUX_MAKE_FLAGS) -C $(@D) -s rustavailable
	$(Q)NACRE_OUT=$(NACRE_SCRIPTS_OUT) \
		$(NACRE_TOP)/scripts/check-config.sh $(@D)/.config $(NACRE_LINUX_FRAGMENTS)
endef
LINUX_PRE_BUILD_HOOKS += NACRE_LINUX_CHECK_CONFIG

# What the kernel can do, beside it.
define NACRE_LINUX_INSTALL_CONFIG
	$(INSTALL) -D -m 0644 $(@D)/.config $(BINARIES_DIR)/kernel.config
endef
LINUX_POST_INSTALL_IMAGES_HOOKS += NACRE_LINUX_INSTALL_CONFIG

endif
