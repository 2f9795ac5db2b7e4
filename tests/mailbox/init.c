// SPDX-License-Identifier: GPL-2.0
/*
 * The first process of a machine whose mailbox driver is taken from its device and given back while a client uses it. It
 * has no library, and ends with the machine.
 */

#define SYS_exit 1
#define SYS_write 4
#define SYS_open 5
#define SYS_mount 21
#define SYS_nanosleep 162
#define O_WRONLY 1

static long call(long number, long a, long b, long c, long d, long e)
{
	register long r7 __asm__("r7") = number;
	register long r0 __asm__("r0") = a;
	register long r1 __asm__("r1") = b;
	register long r2 __asm__("r2") = c;
	register long r3 __asm__("r3") = d;
	register long r4 __asm__("r4") = e;

	__asm__ volatile("svc 0" : "+r"(r0) : "r"(r7), "r"(r1), "r"(r2), "r"(r3), "r"(r4) : "memory");
	return r0;
}

static void put(const char *path, const char *text, long length)
{
	long file = call(SYS_open, (long)path, O_WRONLY, 0, 0, 0);

	call(SYS_write, file, (long)text, length, 0, 0);
}

#define DRIVER "/sys/bus/platform/drivers/mt3620_mailbox/"
#define DEVICE "31000000.mailbox"

void _start(void)
{
	/* For a client that is bound again from a work queue. */
	long pause[2] = { 5, 0 };
	int round;

	call(SYS_mount, (long)"sysfs", (long)"/sys", (long)"sysfs", 0, 0);
	for (round = 0; round < 3; round++) {
		put(DRIVER "unbind", DEVICE, sizeof(DEVICE) - 1);
		put(DRIVER "bind", DEVICE, sizeof(DEVICE) - 1);
	}
	call(SYS_nanosleep, (long)pause, 0, 0, 0, 0);
	call(SYS_exit, 42, 0, 0, 0, 0);
}
