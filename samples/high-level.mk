# SPDX-License-Identifier: Apache-2.0 OR MIT
# From source to image package, for an app in Rust on the high-level core; its Makefile says NAME.

TARGET := armv7-unknown-linux-musleabihf
PROGRAM = $(CARGO_TARGET_DIR)/$(TARGET)/release/$(NAME)
# Shared with the other programs for the device, so that Rust's library is compiled once for all of them.
CARGO_TARGET_DIR ?= $(OUT)/cargo/device
export CARGO_TARGET_DIR
include $(dir $(lastword $(MAKEFILE_LIST)))package.mk

# Cargo knows best what is out of date.
build:
	@test -f $(SDK)/env.sh || { echo "error: there is no SDK at $(SDK): say 'make sdk' at the top of the clone" >&2; exit 1; }
	@. $(SDK)/env.sh && cargo build --quiet --locked --release --manifest-path $(CURDIR)/Cargo.toml \
		--target $(TARGET) -Zbuild-std=std,panic_abort -Zbuild-std-features=optimize_for_size

$(PROGRAM): build ;
