# SPDX-License-Identifier: Apache-2.0 OR MIT
# The one entry point. Everything it makes lies in out/, everything slow to make is kept in the cache (NACRE_CACHE).

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory --no-builtin-rules

BOARD ?= qemu-virt
export BOARD

.DEFAULT_GOAL := help
.PHONY: help setup sdk kernel userspace host rootfs image samples run qemu test fuzz check clean distclean

help: ## Show this list
	@echo 'Nacre: an open implementation of the Azure Sphere OS. Targets:'
	@sed -nE 's/^([a-z]+):.*## (.*)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 14
	@echo 'Variables: BOARD=qemu-virt  APP=package for run  T=test or fuzz target  TIME=seconds of fuzzing  MEASURE=0 for a shorter run'

setup: ## Install or check the tools that the build needs
	@scripts/setup.sh

sdk: setup ## Make the C toolchain for the device (out/sdk)
	@scripts/sdk.sh

kernel: setup ## Build the kernel of BOARD (out/image/zImage)
	@scripts/kernel.sh

userspace: sdk ## Build the programs of the device (out/device)
	@scripts/userspace.sh device

host: setup ## Build the nacre command line tool (out/host/nacre)
	@scripts/userspace.sh host

rootfs: userspace ## Assemble the root file system (out/image/rootfs.squashfs)
	@scripts/rootfs.sh

image: kernel rootfs

samples: sdk host ## Build the sample apps (out/samples)
	@$(MAKE) -C samples/hello-rust
	@$(MAKE) -C samples/hello-c

run: image samples ## Boot the OS in QEMU, deploy an app, show what it may do and what it printed, power off
	@python3 tests/harness/demo.py $(if $(APP),--app '$(APP)')

qemu: image host ## Boot the OS in QEMU with its console here
	@python3 tests/harness/console.py

test: image samples ## Run all tests, or those that match T=
	@scripts/test.sh $(if $(T),'$(T)')

fuzz: setup ## Fuzz one parser: make fuzz T=manifest TIME=60
	@scripts/fuzz.sh '$(T)' '$(or $(TIME),60)'

check: setup ## Check the form of everything: rustfmt, clippy, shellcheck, licences, dependencies
	@scripts/check.sh

clean: ## Remove what was built (out/)
	@rm -rf $(or $(NACRE_OUT),out)

distclean: clean ## Remove also the shared cache
	@scripts/distclean.sh
