/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Drivers in C that do what ours in Rust do, for one kernel of the tests.
 */
#ifndef TWINS_H
#define TWINS_H

#include <linux/platform_device.h>
#include <linux/types.h>

/* What a channel of the mailbox carries. */
struct twin_message {
	u32 data;
	u32 command;
};

extern struct platform_driver twin_mailbox_driver;
extern struct platform_driver twin_pinctrl_driver;

#endif
