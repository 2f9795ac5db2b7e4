################################################################################
#
# SPDX-License-Identifier: Apache-2.0 OR MIT
#
################################################################################

include $(call qstrip,$(BR2_EXTERNAL_NACRE_PATH))/nacre.mk
include $(sort $(wildcard $(BR2_EXTERNAL_NACRE_PATH)/package/*/*.mk))
