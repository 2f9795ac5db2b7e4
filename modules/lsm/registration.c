// SPDX-License-Identifier: GPL-2.0
/*
 * Nacre: what the security framework wants to hear from C.
 *
 * The hooks, the sizes of their state and the rest of the module are in Rust;
 * kernel::define_lsm!() makes the symbols below, and gives hooks only to
 * those that the module implements.
 *
 * Linux 7.x: the name in DEFINE_LSM() becomes .id = &nacre_lsm_id, and
 * .initcall_fs = nacre_lsm_initcall replaces the fs_initcall().
 */

#include <linux/init.h>
#include <linux/lsm_hooks.h>
#include <uapi/linux/lsm.h>

/* Sizes until the framework has taken them, offsets from then on. */
extern struct lsm_blob_sizes nacre_lsm_blobs;
extern struct security_hook_list nacre_lsm_hooks[];
extern const int nacre_lsm_hook_count;

int nacre_lsm_init(void);
int nacre_lsm_initcall(void);

static const struct lsm_id nacre_lsm_id = {
	.name = "nacre",
	.id = LSM_ID_NACRE,
};

static int __init nacre_init(void)
{
	security_add_hooks(nacre_lsm_hooks, nacre_lsm_hook_count,
			   &nacre_lsm_id);
	return nacre_lsm_init();
}

DEFINE_LSM(nacre) = {
	.name = "nacre",
	.init = nacre_init,
	.blobs = &nacre_lsm_blobs,
};

fs_initcall(nacre_lsm_initcall);
