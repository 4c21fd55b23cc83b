/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"

#define MS SS_NSEC_PER_MSEC
#define SEC SS_NSEC_PER_SEC

/* Parse @text of which only @len bytes may be read; the rest of it must stay. */
static int parse_u64(const char *text, size_t len, uint64_t *value, size_t *used)
{
	const char *p = text;
	int err = ss_parse_u64(&p, text + len, value);

	*used = (size_t)(p - text);
	return err;
}

static int parse_s64(const char *text, int64_t *value, size_t *used)
{
	const char *p = text;
	int err = ss_parse_s64(&p, text + strlen(text), value);

	*used = (size_t)(p - text);
	return err;
}

static void parse_u64__number__value_and_position(void **state)
{
	static const struct {
		const char *text;
		size_t len, used;
		uint64_t value;
	} good[] = {
		{ "0", 1, 1, 0 },
		{ "007", 3, 3, 7 },
		{ "12 34", 5, 2, 12 },
		{ "1234", 2, 2, 12 },		/* not past the end */
		{ "18446744073709551615", 20, 20, UINT64_MAX },
	};
	uint64_t value;
	size_t used;

	(void)state;
	for (size_t i = 0; i < SS_ARRAY_SIZE(good); i++) {
		assert_int_equal(parse_u64(good[i].text, good[i].len, &value, &used), 0);
		assert_int_equal(value, good[i].value);
		assert_int_equal(used, good[i].used);
	}
}

static void parse_u64__no_number__refused_where_it_stands(void **state)
{
	static const struct {
		const char *text;
		int err;
	} bad[] = {
		{ "", -EINVAL }, { " 1", -EINVAL }, { "+1", -EINVAL }, { "-1", -EINVAL },
		{ "x", -EINVAL },
		{ "18446744073709551616", -ERANGE }, { "99999999999999999999999", -ERANGE },
	};
	uint64_t value = 42;
	size_t used;

	(void)state;
	for (size_t i = 0; i < SS_ARRAY_SIZE(bad); i++) {
		assert_int_equal(parse_u64(bad[i].text, strlen(bad[i].text), &value, &used),
				 bad[i].err);
		assert_int_equal(used, 0);
		assert_int_equal(value, 42);
	}
}

static void parse_s64__both_ends_of_the_range__exact(void **state)
{
	int64_t value;
	size_t used;

	(void)state;
	assert_int_equal(parse_s64("-9223372036854775808,", &value, &used), 0);
	assert_true(value == INT64_MIN);
	assert_int_equal(used, 20);
	assert_int_equal(parse_s64("9223372036854775807", &value, &used), 0);
	assert_true(value == INT64_MAX);
	assert_int_equal(parse_s64("-0", &value, &used), 0);
	assert_int_equal(value, 0);
	assert_int_equal(parse_s64("-9223372036854775809", &value, &used), -ERANGE);
	assert_int_equal(parse_s64("9223372036854775808", &value, &used), -ERANGE);
	assert_int_equal(parse_s64("-", &value, &used), -EINVAL);
	assert_int_equal(parse_s64("--1", &value, &used), -EINVAL);
	assert_int_equal(used, 0);
}

static void parse_pid__whole_string_only(void **state)
{
	static const struct {
		const char *text;
		int err;
		int32_t pid;
	} cases[] = {
		{ "1", 0, 1 },
		{ "2147483647", 0, INT32_MAX },
		{ "2147483648", -ERANGE, 0 },
		{ "99999999999999999999", -ERANGE, 0 },
		{ "99999999999999999999x", -EINVAL, 0 },
		{ "0", -ERANGE, 0 },
		{ "-1", -EINVAL, 0 },
		{ "+1", -EINVAL, 0 },
		{ "1x", -EINVAL, 0 },
		{ " 1", -EINVAL, 0 },
		{ "1 ", -EINVAL, 0 },
		{ "", -EINVAL, 0 },
		{ "0x10", -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < SS_ARRAY_SIZE(cases); i++) {
		int32_t pid = 0;

		assert_int_equal(ss_parse_pid(cases[i].text, &pid), cases[i].err);
		assert_int_equal(pid, cases[i].pid);
	}
}

static void parse_interval__units__exact_nanoseconds(void **state)
{
	static const struct {
		const char *text;
		int64_t unit_ns, ns;
	} good[] = {
		{ "50", MS, 50 * MS },
		{ "50", SEC, 50 * SEC },
		{ "500us", MS, 500000 },
		{ "50ms", SEC, 50 * MS },
		{ "1s", MS, SEC },
		{ "1.5s", MS, 1500 * MS },
		{ "0.5", MS, 500000 },
		{ "2m", MS, 120 * SEC },
		{ "1h", MS, 3600 * SEC },
		{ "20hz", MS, 50 * MS },
		{ "20Hz", MS, 50 * MS },
		{ "0.5hz", MS, 2 * SEC },
		{ "3hz", MS, 333333333 },
		{ "0.123456789s", MS, 123456789 },
		{ "1.000000001s", MS, 1000000001 },
		{ "9223372036.854775807s", MS, INT64_MAX },
		{ "1000000000hz", MS, 1 },
	};
	int64_t ns;

	(void)state;
	for (size_t i = 0; i < SS_ARRAY_SIZE(good); i++) {
		assert_int_equal(ss_parse_interval(good[i].text, good[i].unit_ns, &ns), 0);
		assert_true(ns == good[i].ns);
	}
}

static void parse_interval__not_a_time__refused(void **state)
{
	static const struct {
		const char *text;
		int err;
	} bad[] = {
		{ "", -EINVAL }, { "s", -EINVAL }, { ".5s", -EINVAL }, { "1.s", -EINVAL },
		{ "1.5.5s", -EINVAL }, { "-1s", -EINVAL }, { "1 s", -EINVAL }, { "1s ", -EINVAL },
		{ "1sec", -EINVAL }, { "1e3", -EINVAL }, { "nan", -EINVAL }, { "1.0000000001s", -EINVAL },
		{ "0", -ERANGE }, { "0.0s", -ERANGE }, { "0hz", -ERANGE }, { "0.0001us", -ERANGE },
		{ "9223372036.854775808s", -ERANGE }, { "18446744073709551615h", -ERANGE },
		{ "18446744073709551616s", -ERANGE }, { "2000000000hz", -ERANGE },
		{ "18446744073709551615.999999999h", -ERANGE },
	};

	(void)state;
	for (size_t i = 0; i < SS_ARRAY_SIZE(bad); i++) {
		int64_t ns = 42;

		assert_int_equal(ss_parse_interval(bad[i].text, MS, &ns), bad[i].err);
		assert_int_equal(ns, 42);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parse_u64__number__value_and_position),
		cmocka_unit_test(parse_u64__no_number__refused_where_it_stands),
		cmocka_unit_test(parse_s64__both_ends_of_the_range__exact),
		cmocka_unit_test(parse_pid__whole_string_only),
		cmocka_unit_test(parse_interval__units__exact_nanoseconds),
		cmocka_unit_test(parse_interval__not_a_time__refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
