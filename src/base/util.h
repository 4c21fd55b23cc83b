/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Small helpers without state: strict number parsing and instants.
 */
#ifndef SS_BASE_UTIL_H
#define SS_BASE_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define SS_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define SS_NSEC_PER_SEC 1000000000LL
#define SS_NSEC_PER_MSEC 1000000LL
#define SS_NSEC_PER_USEC 1000LL

/** The instant of @clock in nanoseconds; it cannot fail for the clocks used here. */
static inline int64_t ss_now_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * SS_NSEC_PER_SEC + ts.tv_nsec;
}

/**
 * Parse the decimal number at *@p, not past @end, and move *@p behind it.
 * No sign, no blanks, no overflow. Returns 0, -EINVAL (no digit) or -ERANGE.
 */
int ss_parse_u64(const char **p, const char *end, uint64_t *value);

/** As ss_parse_u64(), with an optional leading '-'. */
int ss_parse_s64(const char **p, const char *end, int64_t *value);

/**
 * Parse a whole string as a task id: 1 .. INT32_MAX, digits only.
 * Returns 0, -EINVAL or -ERANGE.
 */
int ss_parse_pid(const char *text, int32_t *pid);

/**
 * Parse a duration or a rate: "50" (milliseconds), "500us", "50ms", "1s", "1.5s", "2m", "1h",
 * "20hz" (its period). @unit_ns is the unit of a bare number. The result is in nanoseconds.
 * Returns 0, -EINVAL (not such a text) or -ERANGE (zero, or beyond 292 years).
 */
int ss_parse_interval(const char *text, int64_t unit_ns, int64_t *ns);

#endif
