/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the two parts of the text output share: the lines of threads (text.c), and those of what
 * they waited for (text_waits.c).
 */
#ifndef SS_SINK_TEXT_H
#define SS_SINK_TEXT_H

#include "base/buf.h"
#include "batch.h"

/** @hundredths with two decimals, whatever the locale; the sign survives rounding to zero. */
void ss_text_hundredths(char *text, size_t size, int64_t hundredths, bool negative);

/** Hundredths of a percent, rounded; bounded, because a damaged account may hold any number. */
int64_t ss_text_share(int64_t ns, int64_t wall_ns);

struct ss_text_waits;

/** NULL: no memory. */
struct ss_text_waits *ss_text_waits_new(void);

/** NULL is allowed. */
void ss_text_waits_free(struct ss_text_waits *waits);

/** Take the waits of @batch, borrowed, and the names of new resources. Returns 0 or -ENOMEM. */
int ss_text_waits_begin(struct ss_text_waits *waits, const struct ss_batch *batch);

/**
 * The lines of one sample of that batch, the longest wait first; samples come in the order of pid,
 * tid and time. Returns how many lines.
 */
int ss_text_waits_put(struct ss_text_waits *waits, struct ss_buf *b, const struct ss_sample *s);

#endif
