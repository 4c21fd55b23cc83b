/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/util.h"

#include <errno.h>
#include <string.h>

int ss_parse_u64(const char **p, const char *end, uint64_t *value)
{
	const char *s = *p;
	uint64_t v = 0;

	if (s == end || *s < '0' || *s > '9')
		return -EINVAL;
	for (; s < end && *s >= '0' && *s <= '9'; s++)
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(*s - '0'), &v))
			return -ERANGE;
	*p = s;
	*value = v;
	return 0;
}

int ss_parse_s64(const char **p, const char *end, int64_t *value)
{
	const char *s = *p;
	bool negative = s < end && *s == '-';
	uint64_t magnitude;
	int err;

	s += negative;
	err = ss_parse_u64(&s, end, &magnitude);
	if (err)
		return err;
	if (magnitude > (uint64_t)INT64_MAX + negative)
		return -ERANGE;
	*p = s;
	/* Negated as unsigned: -INT64_MIN does not exist as int64_t. */
	*value = (int64_t)(negative ? -magnitude : magnitude);
	return 0;
}

int ss_parse_pid(const char *text, int32_t *pid)
{
	const char *p = text, *end = text + strlen(text);
	uint64_t value;
	int err = ss_parse_u64(&p, end, &value);

	/* "99999999999999999999x" is no number at all, rather than one that is too big. */
	if (err == -ERANGE && strspn(text, "0123456789") != (size_t)(end - text))
		return -EINVAL;
	if (err)
		return err;
	if (p != end)
		return -EINVAL;
	if (value < 1 || value > INT32_MAX)
		return -ERANGE;
	*pid = (int32_t)value;
	return 0;
}

int ss_parse_interval(const char *text, int64_t unit_ns, int64_t *ns)
{
	static const struct {
		const char *name;
		int64_t ns;		/* 0: a rate */
	} units[] = {
		{ "us", SS_NSEC_PER_USEC },
		{ "ms", SS_NSEC_PER_MSEC },
		{ "s", SS_NSEC_PER_SEC },
		{ "m", 60 * SS_NSEC_PER_SEC },
		{ "h", 3600 * SS_NSEC_PER_SEC },
		{ "hz", 0 },
		{ "Hz", 0 },
	};
	const char *p = text, *end = text + strlen(text);
	uint64_t whole, fraction = 0, scale = 1;
	unsigned __int128 result;
	int err;

	err = ss_parse_u64(&p, end, &whole);
	if (err)
		return err;
	if (*p == '.') {
		const char *first = ++p;

		err = ss_parse_u64(&p, end, &fraction);
		if (err)
			return err;
		/* A nanosecond of a second; more digits would overflow the products below. */
		if (p - first > 9)
			return -EINVAL;
		while (first++ < p)
			scale *= 10;
	}
	if (*p) {
		size_t i = 0;

		while (i < SS_ARRAY_SIZE(units) && strcmp(p, units[i].name))
			i++;
		if (i == SS_ARRAY_SIZE(units))
			return -EINVAL;
		unit_ns = units[i].ns;
	}
	if (!whole && !fraction)
		return -ERANGE;
	if (unit_ns)
		result = (unsigned __int128)whole * (uint64_t)unit_ns +
			 (unsigned __int128)fraction * (uint64_t)unit_ns / scale;
	else
		result = (unsigned __int128)SS_NSEC_PER_SEC * scale /
			 ((unsigned __int128)whole * scale + fraction);
	if (!result || result > INT64_MAX)
		return -ERANGE;
	*ns = (int64_t)result;
	return 0;
}
