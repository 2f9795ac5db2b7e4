################################################################################
#
# SPDX-License-Identifier: Apache-2.0 OR MIT
#
################################################################################

# What the kernel glue and the packages share. The first of them that Buildroot
# reads includes it, so it may be read more than once.

ifeq ($(NACRE_TOP),)

NACRE_TOP := $(abspath $(call qstrip,$(BR2_EXTERNAL_NACRE_PATH))/..)
NACRE_BOARD := $(call qstrip,$(BR2_PACKAGE_NACRE_BOARD))
NACRE_BOARD_DIR := $(NACRE_TOP)/board/$(NACRE_BOARD)

# Where the scripts of the quick loop may write when they are used from here.
NACRE_SCRIPTS_OUT := $(BUILD_DIR)/nacre-scripts

# Which compilers the machine has is found out by those scripts.
# $(1): RUSTC, CARGO, BINDGEN or LLVM.
NACRE_TOOLS := $(shell NACRE_OUT=$(NACRE_SCRIPTS_OUT) $(NACRE_TOP)/scripts/image.sh tools)
nacre-tool = $(patsubst $(1)=%,%,$(filter $(1)=%,$(NACRE_TOOLS)))

# A configured tool, or else the one that was found. $(1): name, $(2): symbol.
nacre-choose = $(or $(call qstrip,$($(2))),$(call nacre-tool,$(1)))

endif
