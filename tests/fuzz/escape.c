// SPDX-License-Identifier: GPL-2.0-or-later
/* A text that another program chose, in each output format. */
#include <locale.h>

#include "base/buf.h"
#include "check.h"

static void check_csv(const char *text)
{
	struct ss_buf b = { 0 };
	char *field;

	ss_buf_csv(&b, text);
	CHECK(!b.error);
	field = csv_field(b.data, b.len);
	CHECK(field && !strcmp(field, text));
	free(field);
	ss_buf_free(&b);
}

static void check_json(const char *text)
{
	struct ss_buf b = { 0 };
	const char *end;

	ss_buf_json(&b, text);
	CHECK(!b.error);
	ss_buf_char(&b, '\0');
	end = json_string_end(b.data);
	CHECK(end && end == b.data + b.len - 1);
	ss_buf_free(&b);
}

static void check_term(const char *text)
{
	struct ss_buf b = { 0 };
	int columns = ss_buf_term(&b, text);

	CHECK(!b.error);
	CHECK(columns >= 0 && (size_t)columns <= 2 * b.len);
	ss_buf_char(&b, '\0');
	CHECK(is_harmless(b.data));
	ss_buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size);

	setlocale(LC_CTYPE, size % 2 ? "C" : "C.UTF-8");
	check_csv(text);
	check_json(text);
	check_term(text);
	free(text);
	return 0;
}
