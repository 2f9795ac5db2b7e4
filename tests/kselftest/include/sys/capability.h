/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The part of libcap's interface that the kernel's tests use, over the kernel's own calls: the device has no libcap, and the
 * tests are built as they are.
 */
#ifndef NACRE_SYS_CAPABILITY_H
#define NACRE_SYS_CAPABILITY_H

#include <errno.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

typedef int cap_value_t;
typedef enum { CAP_EFFECTIVE, CAP_PERMITTED, CAP_INHERITABLE } cap_flag_t;
typedef enum { CAP_CLEAR, CAP_SET } cap_flag_value_t;

/* The kernel keeps capabilities 0 to 31 of the three sets in the first element, and the rest in the second. */
typedef struct {
	struct __user_cap_data_struct data[2];
} *cap_t;

static inline __u32 *nacre_cap_word(cap_t caps, cap_flag_t flag, cap_value_t cap)
{
	struct __user_cap_data_struct *data;

	if (cap < 0 || cap > CAP_LAST_CAP) {
		errno = EINVAL;
		return NULL;
	}
	data = &caps->data[CAP_TO_INDEX((unsigned int)cap)];
	switch (flag) {
	case CAP_EFFECTIVE:
		return &data->effective;
	case CAP_PERMITTED:
		return &data->permitted;
	case CAP_INHERITABLE:
		return &data->inheritable;
	}
	errno = EINVAL;
	return NULL;
}

static inline cap_t cap_init(void)
{
	return calloc(1, sizeof(*(cap_t)0));
}

static inline int cap_free(void *caps)
{
	free(caps);
	return 0;
}

static inline int cap_clear(cap_t caps)
{
	*caps = (__typeof__(*caps)){ 0 };
	return 0;
}

static inline cap_t cap_get_proc(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	cap_t caps = cap_init();

	if (caps && syscall(SYS_capget, &header, caps->data)) {
		cap_free(caps);
		return NULL;
	}
	return caps;
}

static inline int cap_set_proc(cap_t caps)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };

	return syscall(SYS_capset, &header, caps->data);
}

static inline int cap_get_flag(cap_t caps, cap_value_t cap, cap_flag_t flag, cap_flag_value_t *value)
{
	const __u32 *word = nacre_cap_word(caps, flag, cap);

	if (!word)
		return -1;
	*value = *word & CAP_TO_MASK((unsigned int)cap) ? CAP_SET : CAP_CLEAR;
	return 0;
}

static inline int cap_set_flag(cap_t caps, cap_flag_t flag, int count, const cap_value_t *list, cap_flag_value_t value)
{
	for (int i = 0; i < count; i++) {
		__u32 *word = nacre_cap_word(caps, flag, list[i]);

		if (!word)
			return -1;
		if (value == CAP_SET)
			*word |= CAP_TO_MASK((unsigned int)list[i]);
		else
			*word &= ~CAP_TO_MASK((unsigned int)list[i]);
	}
	return 0;
}

static inline int cap_get_ambient(cap_value_t cap)
{
	return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, cap, 0, 0);
}

static inline int cap_set_ambient(cap_value_t cap, cap_flag_value_t value)
{
	return prctl(PR_CAP_AMBIENT, value == CAP_SET ? PR_CAP_AMBIENT_RAISE : PR_CAP_AMBIENT_LOWER, cap, 0, 0);
}

static inline unsigned int cap_get_secbits(void)
{
	return prctl(PR_GET_SECUREBITS);
}

static inline int cap_set_secbits(unsigned int bits)
{
	return prctl(PR_SET_SECUREBITS, bits);
}

#endif
