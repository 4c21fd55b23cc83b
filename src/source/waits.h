/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The waits of one window, which several records can tell.
 */
#ifndef SS_SOURCE_WAITS_H
#define SS_SOURCE_WAITS_H

#include "source/source.h"

/**
 * Of the waits that @shard has from @first on, those of @window's tick become the waits of @window:
 * one for each cause and waker, as far as the buckets hold it, and one of an unknown cause for the
 * blocked time that none of them tells. The others are dropped. Returns the index behind them.
 */
size_t ss_waits_complete(struct ss_shard *shard, size_t first, const struct ss_window *window);

#endif
