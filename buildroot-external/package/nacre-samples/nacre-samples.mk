################################################################################
#
# nacre-samples (SPDX-License-Identifier: Apache-2.0 OR MIT)
#
################################################################################

NACRE_SAMPLES_VERSION = 0.1.0
NACRE_SAMPLES_SITE = $(NACRE_TOP)/samples/hello-rust
NACRE_SAMPLES_SITE_METHOD = local
NACRE_SAMPLES_LICENSE = Apache-2.0 OR MIT
NACRE_SAMPLES_DEPENDENCIES = nacre
NACRE_SAMPLES_INSTALL_TARGET = NO
NACRE_SAMPLES_INSTALL_IMAGES = YES

# An app is built as the programs of the device are; the tool that packs it runs
# here.
define NACRE_SAMPLES_BUILD_CMDS
	$(TARGET_MAKE_ENV) $(NACRE_CARGO_ENV) $(NACRE_CARGO) build $(NACRE_CARGO_OPTS) \
		--manifest-path $(NACRE_TOP)/samples/hello-rust/Cargo.toml
	$(HOST_MAKE_ENV) $(NACRE_CARGO_ENV) $(NACRE_CARGO) build --locked --profile host \
		--target-dir $(@D)/host $(if $(BR2_PACKAGE_NACRE_OFFLINE),--offline) \
		--manifest-path $(NACRE_TOP)/Cargo.toml -p cli
endef

define NACRE_SAMPLES_INSTALL_IMAGES_CMDS
	$(INSTALL) -D -m 0755 $(NACRE_DIR)/target/$(NACRE_RUST_TARGET)/release/hello-rust \
		$(@D)/approot/bin/app
	$(INSTALL) -D -m 0644 $(NACRE_TOP)/samples/hello-rust/app_manifest.json \
		$(@D)/approot/app_manifest.json
	$(@D)/host/host/nacre image-package pack --package-directory $(@D)/approot \
		--destination $(BINARIES_DIR)/hello-rust.imagepackage --target-api-set 16
endef

$(eval $(generic-package))
