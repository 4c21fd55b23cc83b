/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <locale.h>
#include <string.h>

#include "base/buf.h"

#define assert_text(b, text) \
	do { \
		assert_int_equal((b)->error, 0); \
		assert_int_equal((b)->len, strlen(text)); \
		assert_memory_equal((b)->data, text, strlen(text)); \
	} while (0)

static void check_csv(const char *in, const char *out)
{
	struct ss_buf b = { 0 };

	ss_buf_csv(&b, in);
	if (*out)
		assert_text(&b, out);
	assert_int_equal(b.len, strlen(out));
	ss_buf_free(&b);
}

static void check_json(const char *in, const char *out)
{
	struct ss_buf b = { 0 };

	ss_buf_json(&b, in);
	assert_text(&b, out);
	ss_buf_free(&b);
}

static void check_term(const char *in, const char *out, int columns)
{
	struct ss_buf b = { 0 };

	assert_int_equal(ss_buf_term(&b, in), columns);
	assert_text(&b, out);
	ss_buf_free(&b);
}

static void buf__appends__grow_and_keep_bytes(void **state)
{
	struct ss_buf b = { 0 };

	(void)state;
	for (int i = 0; i < 100000; i++)
		ss_buf_char(&b, (char)('a' + i % 26));
	assert_int_equal(b.error, 0);
	assert_int_equal(b.len, 100000);
	for (int i = 0; i < 100000; i++)
		assert_int_equal(b.data[i], 'a' + i % 26);
	ss_buf_free(&b);
	assert_null(b.data);
}

static void buf__reset__keeps_memory(void **state)
{
	struct ss_buf b = { 0 };
	size_t cap;
	char *data;

	(void)state;
	for (int i = 0; i < 1000; i++)
		ss_buf_char(&b, 'x');
	data = b.data;
	cap = b.cap;
	ss_buf_reset(&b);
	ss_buf_str(&b, "again");
	assert_text(&b, "again");
	assert_ptr_equal(b.data, data);
	assert_int_equal(b.cap, cap);
	ss_buf_free(&b);
}

static void buf__no_memory__is_remembered(void **state)
{
	struct ss_buf b = { 0 };

	(void)state;
	ss_buf_str(&b, "kept");
	ss_buf_mem(&b, "", SIZE_MAX / 2);
	assert_int_equal(b.error, -ENOMEM);
	ss_buf_str(&b, "ignored");
	ss_buf_printf(&b, "%d", 1);
	assert_int_equal(b.len, 4);
	assert_memory_equal(b.data, "kept", 4);
	ss_buf_free(&b);
}

static void buf__s64__prints_every_range(void **state)
{
	struct ss_buf b = { 0 };

	(void)state;
	ss_buf_s64(&b, 0);
	ss_buf_char(&b, ' ');
	ss_buf_s64(&b, -7);
	ss_buf_char(&b, ' ');
	ss_buf_s64(&b, INT64_MAX);
	ss_buf_char(&b, ' ');
	ss_buf_s64(&b, INT64_MIN);
	assert_text(&b, "0 -7 9223372036854775807 -9223372036854775808");
	ss_buf_free(&b);
}

static void buf__printf__longer_than_the_room__is_whole(void **state)
{
	struct ss_buf b = { 0 };

	(void)state;
	ss_buf_str(&b, "<");
	ss_buf_printf(&b, "%01000d", 5);
	ss_buf_printf(&b, "%s", ">");
	assert_int_equal(b.error, 0);
	assert_int_equal(b.len, 1002);
	assert_int_equal(b.data[999], '0');
	assert_memory_equal(b.data + 1000, "5>", 2);
	ss_buf_free(&b);
}

static void buf__csv__quotes_only_where_needed(void **state)
{
	(void)state;
	check_csv("", "");
	check_csv("redis-server", "redis-server");
	check_csv("a b", "a b");
	check_csv("a,b", "\"a,b\"");
	check_csv("say \"hi\"", "\"say \"\"hi\"\"\"");
	check_csv("\"", "\"\"\"\"");
	check_csv("a\nb", "\"a\nb\"");
	check_csv("a\rb", "\"a\rb\"");
	check_csv(" a", "\" a\"");
	check_csv("a\t", "\"a\t\"");
	check_csv("\xff\x1b[2J", "\xff\x1b[2J");
}

static void buf__json__escapes_controls_and_quotes(void **state)
{
	(void)state;
	check_json("", "\"\"");
	check_json("a\"b\\c/d", "\"a\\\"b\\\\c/d\"");
	check_json("\x01\t\n\r\x1b\x7f", "\"\\u0001\\u0009\\u000a\\u000d\\u001b\\u007f\"");
	check_json("\xc2\x9b" "1m", "\"\\u009b1m\"");
	check_json("\xe2\x80\xae" "gpj", "\"\\u202egpj\"");
}

static void buf__json__keeps_valid_utf8(void **state)
{
	(void)state;
	check_json("\xc3\xa9 \xe4\xb8\xad \xf0\x9f\x98\x80",
		   "\"\xc3\xa9 \xe4\xb8\xad \xf0\x9f\x98\x80\"");
	check_json("\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf",
		   "\"\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf\"");
}

static void buf__json__replaces_each_invalid_byte(void **state)
{
	(void)state;
	check_json("\xff", "\"\\ufffd\"");
	check_json("a\x80z", "\"a\\ufffdz\"");
	check_json("cut\xe4\xb8", "\"cut\\ufffd\\ufffd\"");
	check_json("\xc0\xaf", "\"\\ufffd\\ufffd\"");			/* overlong '/' */
	check_json("\xe0\x80\xaf", "\"\\ufffd\\ufffd\\ufffd\"");
	check_json("\xf0\x80\x80\xaf", "\"\\ufffd\\ufffd\\ufffd\\ufffd\"");
	check_json("\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\"");	/* surrogate */
	check_json("\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\"");
	check_json("\xc3\"", "\"\\ufffd\\\"\"");	/* must not swallow the quote */
}

static void buf__term__escapes_controls_and_invalid_bytes(void **state)
{
	(void)state;
	check_term("plain name", "plain name", 10);
	check_term("\x1b[2J\n\x7f", "\\x1b[2J\\x0a\\x7f", 15);
	check_term("\xc2\x9b" "1m", "\\xc2\\x9b1m", 10);
	check_term("a\xff" "b", "a\\xffb", 6);
	check_term("cut\xe4\xb8", "cut\\xe4\\xb8", 11);
}

static void buf__term__escapes_bidi(void **state)
{
	(void)state;
	check_term("\xe2\x80\xae" "fdp", "\\u{202E}fdp", 11);
	check_term("\xe2\x81\xa6x\xe2\x81\xa9", "\\u{2066}x\\u{2069}", 17);
	check_term("\xd8\x9c", "\\u{061C}", 8);
}

static void buf__term__counts_columns(void **state)
{
	(void)state;
	check_term("\xc3\xa9", "\xc3\xa9", 1);
	check_term("\xe4\xb8\xad\xe6\x96\x87", "\xe4\xb8\xad\xe6\x96\x87", 4);
	check_term("e\xcc\x81", "e\xcc\x81", 1);
	check_term("\xe2\x80\xa8", "\\u{2028}", 8);	/* line separator: not printable */
}

static void buf__term__c_locale__escapes_what_it_cannot_print(void **state)
{
	(void)state;
	setlocale(LC_CTYPE, "C");
	check_term("caf\xc3\xa9", "caf\\u{00E9}", 11);
	setlocale(LC_CTYPE, "C.UTF-8");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buf__appends__grow_and_keep_bytes),
		cmocka_unit_test(buf__reset__keeps_memory),
		cmocka_unit_test(buf__no_memory__is_remembered),
		cmocka_unit_test(buf__s64__prints_every_range),
		cmocka_unit_test(buf__printf__longer_than_the_room__is_whole),
		cmocka_unit_test(buf__csv__quotes_only_where_needed),
		cmocka_unit_test(buf__json__escapes_controls_and_quotes),
		cmocka_unit_test(buf__json__keeps_valid_utf8),
		cmocka_unit_test(buf__json__replaces_each_invalid_byte),
		cmocka_unit_test(buf__term__escapes_controls_and_invalid_bytes),
		cmocka_unit_test(buf__term__escapes_bidi),
		cmocka_unit_test(buf__term__counts_columns),
		cmocka_unit_test(buf__term__c_locale__escapes_what_it_cannot_print),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
