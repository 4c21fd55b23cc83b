/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A growing byte buffer for output. An allocation failure is remembered in @error (-ENOMEM) and
 * later appends do nothing, so callers check once, at the end. Reusing a buffer with
 * ss_buf_reset() keeps its memory: steady-state formatting allocates nothing.
 */
#ifndef SS_BASE_BUF_H
#define SS_BASE_BUF_H

#include <stddef.h>
#include <stdint.h>

struct ss_buf {
	char *data;		/* owned; not NUL-terminated */
	size_t len;
	size_t cap;
	int error;		/* 0 or negative errno of the first failure */
};

void ss_buf_free(struct ss_buf *b);
static inline void ss_buf_reset(struct ss_buf *b)
{
	b->len = 0;
}
void ss_buf_mem(struct ss_buf *b, const void *data, size_t len);
void ss_buf_str(struct ss_buf *b, const char *text);
void ss_buf_char(struct ss_buf *b, char c);
void ss_buf_s64(struct ss_buf *b, int64_t value);
void ss_buf_printf(struct ss_buf *b, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/** An RFC 4180 field: quoted when it holds a comma, a quote, CR, LF, or a blank at an end. */
void ss_buf_csv(struct ss_buf *b, const char *text);

/**
 * A JSON string with its quotes. Control characters (C0, DEL, C1) and bidirectional overrides
 * become \uXXXX; each byte that is not valid UTF-8 becomes U+FFFD. So the line is always valid
 * JSON and safe for a terminal.
 */
void ss_buf_json(struct ss_buf *b, const char *text);

/**
 * Text that is safe for a terminal: the bytes of C0, DEL, C1 controls and of invalid UTF-8 become
 * \xXX; bidirectional overrides, and what the locale (LC_CTYPE) cannot print, \u{XXXX}. Returns
 * the number of columns that it takes (wcwidth).
 */
int ss_buf_term(struct ss_buf *b, const char *text);

#endif
