# SPDX-License-Identifier: Apache-2.0 OR MIT
# From source to image package, for an app in Rust on a real-time core; its Makefile says NAME.

PROGRAM = $(OUT)/realtime/$(NAME)
include $(dir $(lastword $(MAKEFILE_LIST)))package.mk

# Cargo knows best what is out of date.
build:
	@$(TOP)/scripts/realtime.sh $(CURDIR)

$(PROGRAM): build ;
