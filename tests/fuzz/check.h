/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Strict readers of what the program writes. */
#ifndef TESTS_FUZZ_CHECK_H
#define TESTS_FUZZ_CHECK_H

#include <stdbool.h>

#include "fuzz.h"

/* The code point at @s and behind it, or NULL when it is not UTF-8. */
static inline const char *utf8_next(const char *s, uint32_t *cp)
{
	static const struct { uint8_t mask, lead; uint32_t least; } forms[] = {
		{ 0x80, 0x00, 0 }, { 0xe0, 0xc0, 0x80 }, { 0xf0, 0xe0, 0x800 }, { 0xf8, 0xf0, 0x10000 },
	};

	for (int more = 0; more < 4; more++) {
		if (((uint8_t)*s & forms[more].mask) != forms[more].lead)
			continue;
		*cp = (uint8_t)*s++ & (uint8_t)~forms[more].mask;
		for (int i = 0; i < more; i++, s++) {
			if (((uint8_t)*s & 0xc0) != 0x80)
				return NULL;
			*cp = *cp << 6 | ((uint8_t)*s & 0x3f);
		}
		return *cp < forms[more].least || *cp > 0x10ffff || (*cp & 0xfffff800) == 0xd800 ?
		       NULL : s;
	}
	return NULL;
}

/* Nothing that a terminal obeys, and nothing that changes the direction of writing. */
static inline bool is_harmless(const char *s)
{
	uint32_t cp;

	while (*s) {
		s = utf8_next(s, &cp);
		if (!s || cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || (cp >= 0x202a && cp <= 0x202e) ||
		    (cp >= 0x2066 && cp <= 0x2069) || cp == 0x200e || cp == 0x200f || cp == 0x61c)
			return false;
	}
	return true;
}

/* What is behind the JSON string that begins at @s, or NULL when none does. */
static inline const char *json_string_end(const char *s)
{
	uint32_t cp;

	if (*s++ != '"')
		return NULL;
	while (*s && *s != '"') {
		if (*s == '\\' && s[1] == 'u') {
			if (strspn(s + 2, "0123456789abcdef") < 4)
				return NULL;
			s += 6;
		} else if (*s == '\\') {
			if (!s[1] || !strchr("\"\\", s[1]))
				return NULL;
			s += 2;
		} else {
			char one[5] = "";
			const char *next = utf8_next(s, &cp);

			if (!next)
				return NULL;
			memcpy(one, s, (size_t)(next - s));
			if (!is_harmless(one))
				return NULL;
			s = next;
		}
	}
	return *s == '"' ? s + 1 : NULL;
}

/* The value of one CSV field that takes all of @len bytes, or NULL when it is none. */
static inline char *csv_field(const char *s, size_t len)
{
	char *value = malloc(len + 1), *v = value;
	size_t i;

	CHECK(value);
	if (!len || *s != '"') {
		for (i = 0; i < len; i++) {
			if (strchr(",\"\r\n", s[i]))
				goto bad;
			*v++ = s[i];
		}
	} else {
		for (i = 1; i + 1 < len; i++) {
			if (s[i] == '"' && (s[++i] != '"' || i + 1 >= len))
				goto bad;
			*v++ = s[i];
		}
		if (len < 2 || i != len - 1 || s[i] != '"')
			goto bad;
	}
	*v = '\0';
	return value;
bad:
	free(value);
	return NULL;
}

#endif
