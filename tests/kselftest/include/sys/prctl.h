/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * musl's <sys/prctl.h> and the kernel's <linux/prctl.h> define the same structure, and some tests include both: here the kernel's
 * definitions, which are the newer ones, are both.
 */
#ifndef NACRE_SYS_PRCTL_H
#define NACRE_SYS_PRCTL_H

#include <linux/prctl.h>

int prctl(int option, ...);

#endif
