# SPDX-License-Identifier: Apache-2.0 OR MIT
# From source to image package, for an app on a real-time core; its Makefile says NAME.

API_SET := 16

TOP := $(abspath $(dir $(lastword $(MAKEFILE_LIST)))/..)
OUT := $(or $(NACRE_OUT),$(TOP)/out)
NACRE ?= $(OUT)/host/nacre

PROGRAM := $(OUT)/realtime/$(NAME)
APPROOT := $(OUT)/samples/$(NAME)/approot
PACKAGE := $(OUT)/samples/$(NAME).imagepackage

.PHONY: package build clean
package: $(PACKAGE)

# Cargo knows best what is out of date.
build:
	@$(TOP)/scripts/realtime.sh $(CURDIR)

$(PROGRAM): build ;

$(PACKAGE): $(PROGRAM) app_manifest.json $(NACRE)
	@install -D -m 755 $(PROGRAM) $(APPROOT)/bin/app
	@install -D -m 644 app_manifest.json $(APPROOT)/app_manifest.json
	@$(NACRE) image-package pack --package-directory $(APPROOT) --destination $@ --target-api-set $(API_SET)

$(NACRE):
	@echo "error: there is no $(NACRE): say 'make host' at the top of the clone, or set NACRE" >&2; exit 1

clean:
	rm -rf $(OUT)/samples/$(NAME) $(PACKAGE) $(PROGRAM)
