// SPDX-License-Identifier: GPL-2.0-or-later
/* The numbers of the command line and of /proc. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>

#include "base/util.h"
#include "fuzz.h"

static void check_integers(const char *text, size_t size)
{
	const char *p = text, *end = text + size;
	uint64_t u;
	int64_t s;
	int err = ss_parse_u64(&p, end, &u);

	CHECK(err == 0 || err == -EINVAL || err == -ERANGE);
	if (!err)
		CHECK(p > text && u == strtoull(text, NULL, 10));
	else
		CHECK(p == text);
	p = text;
	err = ss_parse_s64(&p, end, &s);
	CHECK(err == 0 || err == -EINVAL || err == -ERANGE);
	if (!err)
		CHECK(p > text && s == strtoll(text, NULL, 10));
	else
		CHECK(p == text);
}

static void check_pid(const char *text)
{
	char again[16];
	int32_t pid;
	int err = ss_parse_pid(text, &pid);

	CHECK(err == 0 || err == -EINVAL || err == -ERANGE);
	if (err)
		return;
	CHECK(pid > 0);
	snprintf(again, sizeof(again), "%" PRId32, pid);
	CHECK(!strcmp(text + strspn(text, "0"), again));
}

static void check_interval(const char *text, int64_t unit_ns)
{
	static const struct { const char *name; double ns; } units[] = {
		{ "us", 1e3 }, { "ms", 1e6 }, { "s", 1e9 }, { "m", 6e10 }, { "h", 3.6e12 },
	};
	double value, unit = (double)unit_ns;
	char *behind;
	int64_t ns;
	int err = ss_parse_interval(text, unit_ns, &ns);

	CHECK(err == 0 || err == -EINVAL || err == -ERANGE);
	if (err)
		return;
	CHECK(ns > 0);
	/* The same in floating point. */
	value = strtod(text, &behind);
	for (size_t i = 0; i < SS_ARRAY_SIZE(units); i++)
		if (!strcmp(behind, units[i].name))
			unit = units[i].ns;
	value = strcasecmp(behind, "hz") ? value * unit : 1e9 / value;
	CHECK(fabs((double)ns - value) <= 1 + value * 1e-12);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size);

	check_integers(text, size);
	check_pid(text);
	check_interval(text, SS_NSEC_PER_MSEC);
	check_interval(text, SS_NSEC_PER_SEC);
	free(text);
	return 0;
}
