/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What threads wait for, seen at the ticks: a source that counts knows how long a thread was blocked
 * in a window, and /proc tells what it is blocked for at its end. Waits before that one count as
 * if they had its cause.
 */
#ifndef SS_SOURCE_SAMPLED_H
#define SS_SOURCE_SAMPLED_H

#include "source/source.h"

/**
 * Add the wait of @w, which has just been closed, to shard->waits: all that its thread was blocked
 * in it, for what it waits now; SS_WAIT_UNKNOWN when it does not, or that is not told. None when it
 * was not blocked or that is not known, or when the kernel has no file that would tell causes.
 */
void ss_sampled_wait(const struct ss_source_env *env, struct ss_shard *shard,
		     const struct ss_window *w);

#endif
