/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

/* Room for @more bytes; false when there is none or an earlier append failed. */
static bool reserve(struct ss_buf *b, size_t more)
{
	size_t cap = b->cap ? b->cap : 256;
	char *data;

	if (b->error)
		return false;
	if (more <= b->cap - b->len)
		return true;
	if (more > SIZE_MAX / 4 - b->len) {
		b->error = -ENOMEM;
		return false;
	}
	while (cap < b->len + more)
		cap *= 2;
	data = realloc(b->data, cap);
	if (!data) {
		b->error = -ENOMEM;
		return false;
	}
	b->data = data;
	b->cap = cap;
	return true;
}

void ss_buf_free(struct ss_buf *b)
{
	free(b->data);
	*b = (struct ss_buf){ 0 };
}

void ss_buf_mem(struct ss_buf *b, const void *data, size_t len)
{
	if (!len || !reserve(b, len))
		return;
	memcpy(b->data + b->len, data, len);
	b->len += len;
}

void ss_buf_str(struct ss_buf *b, const char *text)
{
	ss_buf_mem(b, text, strlen(text));
}

void ss_buf_char(struct ss_buf *b, char c)
{
	ss_buf_mem(b, &c, 1);
}

void ss_buf_s64(struct ss_buf *b, int64_t value)
{
	char digits[20], *p = digits + sizeof(digits);
	uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;

	do {
		*--p = '0' + rest % 10;
		rest /= 10;
	} while (rest);
	if (value < 0)
		*--p = '-';
	ss_buf_mem(b, p, digits + sizeof(digits) - p);
}

void ss_buf_printf(struct ss_buf *b, const char *format, ...)
{
	size_t room = 64;
	va_list args;
	int n;

	/* A second round is needed only when the text is longer than the room of the first. */
	for (;;) {
		if (!reserve(b, room))
			return;
		va_start(args, format);
		n = vsnprintf(b->data + b->len, b->cap - b->len, format, args);
		va_end(args);
		if (n < 0) {
			b->error = -errno;
			return;
		}
		if ((size_t)n < b->cap - b->len)
			break;
		room = (size_t)n + 1;
	}
	b->len += n;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

void ss_buf_csv(struct ss_buf *b, const char *text)
{
	size_t len = strlen(text);

	if (!text[strcspn(text, ",\"\r\n")] && !is_blank(text[0]) &&
	    (!len || !is_blank(text[len - 1]))) {
		ss_buf_mem(b, text, len);
		return;
	}
	ss_buf_char(b, '"');
	for (; *text; text++) {
		if (*text == '"')
			ss_buf_char(b, '"');
		ss_buf_char(b, *text);
	}
	ss_buf_char(b, '"');
}

/*
 * Decode the character at @s, which is NUL-terminated. Returns its length, or 0 when it is not
 * well-formed UTF-8: overlong forms, surrogates and values beyond U+10FFFF are not.
 */
static int decode(const unsigned char *s, uint32_t *cp)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	int len = s[0] < 0x80 ? 1 : s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;

	if (len == 1) {
		*cp = s[0];
		return 1;
	}
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	*cp = s[0] & (0x7f >> len);
	for (int i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		*cp = *cp << 6 | (s[i] & 0x3f);
	}
	if (*cp < least[len] || *cp > 0x10ffff || (*cp >= 0xd800 && *cp <= 0xdfff))
		return 0;
	return len;
}

static bool is_control(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp <= 0x9f);
}

/* Characters that reorder the text around them: a name could pose as another. */
static bool is_bidi(uint32_t cp)
{
	return cp == 0x61c || cp == 0x200e || cp == 0x200f || (cp >= 0x202a && cp <= 0x202e) ||
	       (cp >= 0x2066 && cp <= 0x2069);
}

void ss_buf_json(struct ss_buf *b, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	uint32_t cp;
	int len;

	ss_buf_char(b, '"');
	for (; *s; s += len ? len : 1) {
		len = decode(s, &cp);
		if (!len)
			ss_buf_str(b, "\\ufffd");
		else if (is_control(cp) || is_bidi(cp))
			ss_buf_printf(b, "\\u%04x", cp);
		else if (cp == '"' || cp == '\\')
			ss_buf_printf(b, "\\%c", (int)cp);
		else
			ss_buf_mem(b, s, len);
	}
	ss_buf_char(b, '"');
}

int ss_buf_term(struct ss_buf *b, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	int columns = 0, len, width;
	size_t start;
	uint32_t cp;

	for (; *s; s += len) {
		start = b->len;
		len = decode(s, &cp);
		width = len ? wcwidth((wchar_t)cp) : -1;
		if (!len || is_control(cp)) {
			len = len ? len : 1;
			for (int i = 0; i < len; i++)
				ss_buf_printf(b, "\\x%02x", s[i]);
			width = (int)(b->len - start);
		} else if (width < 0 || is_bidi(cp)) {
			ss_buf_printf(b, "\\u{%04X}", cp);
			width = (int)(b->len - start);
		} else {
			ss_buf_mem(b, s, len);
		}
		columns += width;
	}
	return columns;
}
