# SPDX-License-Identifier: Apache-2.0 OR MIT
# From program to image package; the sample's Makefile says NAME, and what includes this says how PROGRAM is made.

API_SET := 16

TOP := $(abspath $(dir $(lastword $(MAKEFILE_LIST)))/..)
OUT := $(or $(NACRE_OUT),$(TOP)/out)
SDK := $(or $(NACRE_SDK),$(OUT)/sdk)
NACRE ?= $(OUT)/host/nacre

BUILD := $(OUT)/samples/$(NAME)
APPROOT := $(BUILD)/approot
PACKAGE := $(BUILD).imagepackage

.PHONY: package build clean
package: $(PACKAGE)

$(PACKAGE): $(PROGRAM) app_manifest.json $(NACRE)
	@install -D -m 755 $(PROGRAM) $(APPROOT)/bin/app
	@install -D -m 644 app_manifest.json $(APPROOT)/app_manifest.json
	@$(NACRE) image-package pack --package-directory $(APPROOT) --destination $@ --target-api-set $(API_SET)

$(NACRE):
	@echo "error: there is no $(NACRE): say 'make host' at the top of the clone, or set NACRE" >&2; exit 1

clean:
	rm -rf $(BUILD) $(PACKAGE)
