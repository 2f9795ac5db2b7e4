################################################################################
#
# Host tools of the machine (SPDX-License-Identifier: Apache-2.0 OR MIT)
#
################################################################################

# For BR2_PACKAGE_OVERRIDE_FILE: Buildroot reads this before any package, so an
# "override" here wins over what a package says. The packages below are neither
# downloaded nor compiled; their host variant is a link to the machine's program.
# This leans on how Buildroot is written, not on a promise of it: after a move to
# another release, `make image-check` compares what is still downloaded.

NACRE_AIRGAP_DIR := $(patsubst %/,%,$(dir $(lastword $(MAKEFILE_LIST))))

# $(1): package in capitals, $(2): its programs, $(3): bin or sbin
define NACRE_SYSTEM_TOOL
HOST_$(1)_OVERRIDE_SRCDIR = $$(NACRE_AIRGAP_DIR)/empty
override $(1)_AUTORECONF := NO
override $(1)_LICENSE_FILES :=
override $(1)_REDISTRIBUTE := NO
override HOST_$(1)_AUTORECONF := NO
override HOST_$(1)_DEPENDENCIES := host-skeleton
override HOST_$(1)_CONFIGURE_CMDS := @:
override HOST_$(1)_BUILD_CMDS := @:
override HOST_$(1)_POST_INSTALL_HOOKS :=
override HOST_$(1)_INSTALL_CMDS = $$(foreach t,$(2),$$(call NACRE_LINK_TOOL,$$(t),$(3))$$(sep))
endef

# $(1): program, $(2): bin or sbin
define NACRE_LINK_TOOL
	@p=$$(PATH=$(PATH):/usr/sbin:/sbin command -v $(1)) || \
		{ echo "error: $(1) is not installed, and an air-gapped build takes it from the machine" >&2; exit 1; }; \
	mkdir -p $(HOST_DIR)/$(2) && ln -sf "$$p" $(HOST_DIR)/$(2)/$(1)
endef

$(eval $(call NACRE_SYSTEM_TOOL,BISON,bison,bin))
$(eval $(call NACRE_SYSTEM_TOOL,FAKEROOT,fakeroot,bin))
$(eval $(call NACRE_SYSTEM_TOOL,FLEX,flex,bin))
$(eval $(call NACRE_SYSTEM_TOOL,GENIMAGE,genimage,bin))
$(eval $(call NACRE_SYSTEM_TOOL,KMOD,depmod,sbin))
$(eval $(call NACRE_SYSTEM_TOOL,M4,m4,bin))
$(eval $(call NACRE_SYSTEM_TOOL,PATCHELF,patchelf,bin))
$(eval $(call NACRE_SYSTEM_TOOL,PKGCONF,pkg-config,bin))
$(eval $(call NACRE_SYSTEM_TOOL,SQUASHFS,mksquashfs unsquashfs,bin))
$(eval $(call NACRE_SYSTEM_TOOL,TAR,tar,bin))
$(eval $(call NACRE_SYSTEM_TOOL,XZ,xz xzcat,bin))

# <sys/queue.h> and <sys/cdefs.h> for musl: nothing here uses them. The package
# has no site of its own, and one whose sources are overridden must have one.
MUSL_COMPAT_HEADERS_OVERRIDE_SRCDIR = $(NACRE_AIRGAP_DIR)/empty
MUSL_COMPAT_HEADERS_SITE = $(NACRE_AIRGAP_DIR)/empty
override MUSL_COMPAT_HEADERS_LICENSE_FILES :=
override MUSL_COMPAT_HEADERS_REDISTRIBUTE := NO
override MUSL_COMPAT_HEADERS_INSTALL_STAGING_CMDS := @:
