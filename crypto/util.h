/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Small macros that every room uses: cleanup attributes, handing over, format checks, time. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define CLEANUP(func)        __attribute__((cleanup(func)))
#define MUST                 __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, va) __attribute__((format(printf, fmt, va)))
#define ARRAY_SIZE(a)        (sizeof(a) / sizeof((a)[0]))

/* Hands over a pointer: gives its value and leaves NULL behind for the cleanup attribute. */
#define TAKE_PTR(ptr) TAKE_VALUE(ptr, NULL)

/* Hands over a struct by value: leaves a zeroed one behind for the cleanup attribute. */
#define TAKE_STRUCT(s) TAKE_VALUE(s, ((__typeof__(s)){0}))

#define TAKE_VALUE(var, left)                               \
	__extension__({                                     \
		__typeof__(var) *const take_from_ = &(var); \
		__typeof__(var) take_value_ = *take_from_;  \
		*take_from_ = (left);                       \
		take_value_;                                \
	})

/* Defines funcp(), which a cleanup attribute calls, for a pointer type freed by func(). */
#define DEFINE_CLEANUP(type, func)            \
	static inline void func##p(type *ptr) \
	{                                     \
		if (*ptr)                     \
			func(*ptr);           \
	}

/* For the cleanup attribute. */
static inline void free_text(char **text)
{
	free(*text);
}

/* For the cleanup attribute; negative numbers are no descriptors. */
static inline void close_fd(const int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

enum { USEC_PER_MSEC = 1000, USEC_PER_SEC = 1000 * 1000 };

/* Microseconds on CLOCK_MONOTONIC. */
static inline uint64_t now_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000;
}
