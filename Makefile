# SPDX-License-Identifier: Apache-2.0 OR MIT
# The one entry point. Everything it makes lies in out/, everything slow to make is kept in the cache (NACRE_CACHE).

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory --no-builtin-rules

BOARD ?= qemu-virt
export BOARD

# The sample apps for every board, and those for pins and real-time cores.
SAMPLES := hello-rust hello-c intercore-hl
SAMPLES_mt3620 := button-hl blink button intercore-rt

.DEFAULT_GOAL := help
.PHONY: help setup sdk kernel userspace host rootfs devicetree quick emulator samples run qemu test test-kernels test-lsm bench mutants coverage fuzz \
	check clean distclean image image-doctor image-sources image-config image-check image-test image-sbom image-legal image-reproduce

help: ## Show this list
	@echo 'Nacre: an open implementation of the Azure Sphere OS. Targets:'
	@sed -nE 's/^([a-z-]+):.*## (.*)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 19
	@echo 'Variables: BOARD=qemu-virt or mt3620  VARIANT=debug or kasan for kernel  APP=package for run  T=test or fuzz target'
	@echo '           TIME=seconds of fuzzing  MEASURE=0 for a shorter run  BASELINE=1 for bench'
	@echo '           BUILDROOT=path  IMAGE_MODE=airgap  SOURCES=folder  DEFCONFIG=name  IMAGE_OUT=folder for image'

setup: ## Install or check the tools that the build needs
	@scripts/setup.sh

sdk: setup ## Make the C toolchain for the device (out/sdk)
	@scripts/sdk.sh

kernel: setup ## Build the kernel of BOARD (out/image/zImage), or its test VARIANT
	@scripts/kernel.sh

userspace: sdk ## Build the programs of the device (out/device)
	@scripts/userspace.sh device

host: setup ## Build the nacre command line tool (out/host/nacre)
	@scripts/userspace.sh host

rootfs: userspace ## Assemble the root file system (out/image/rootfs.squashfs)
	@scripts/rootfs.sh

devicetree:
	@scripts/devicetree.sh

quick: kernel rootfs devicetree ## Build kernel and root file system without Buildroot (out/image)

emulator: setup ## Build the QEMU that BOARD needs, if it needs its own (out/emulator)
	@scripts/qemu.sh

samples: sdk host ## Build the sample apps (out/samples)
	@for sample in $(SAMPLES) $(SAMPLES_$(BOARD)); do $(MAKE) -C samples/$$sample || exit; done

run: quick samples emulator ## Boot the OS in QEMU, deploy an app, show what it may do and what it printed, power off
	@python3 tests/harness/demo.py $(if $(APP),--app '$(APP)')

qemu: quick host emulator ## Boot the OS in QEMU with its console here
	@python3 tests/harness/console.py

test: quick samples emulator $(if $(T),,test-kernels) ## Run all tests, or those that match T=
	@scripts/test.sh $(if $(T),'$(T)')

test-kernels: setup
	@for variant in debug kasan twins; do \
		[ ! -f board/$(BOARD)/kernel-$$variant.fragments ] || VARIANT=$$variant scripts/kernel.sh || exit 1; \
	done

test-lsm: sdk ## Test the security module: decisions, KUnit, booted kernels; T= as for test
	@scripts/test-lsm.sh $(if $(T),'$(T)')

bench: quick samples emulator ## Count instructions and bytes, compare with the baseline, write docs/prices.md
	@scripts/bench.sh

mutants: setup ## Change the decision core in every way and see that its tests notice
	@scripts/mutants.sh

coverage: setup ## Measure how much of the decision core and the security module their host tests run
	@scripts/coverage.sh

fuzz: setup ## Fuzz one parser: make fuzz T=manifest TIME=60
	@scripts/fuzz.sh '$(T)' '$(or $(TIME),60)'

check: setup ## Check the form of everything: rustfmt, clippy, shellcheck, licences, dependencies
	@scripts/check.sh

image: ## Build the image that ships, by Buildroot; docs/build-the-os.md has all about it
	@scripts/image.sh build

image-test: host samples emulator ## Boot that image from disk and from flash, and run all tests on it
	@scripts/image.sh test

# doctor, sources, config, check, sbom, legal and reproduce
image-doctor image-sources image-config image-check image-sbom image-legal image-reproduce:
	@scripts/image.sh $(@:image-%=%)

clean: ## Remove what was built (out/)
	@rm -rf $(or $(NACRE_OUT),out)

distclean: clean ## Remove also the shared cache
	@scripts/distclean.sh
