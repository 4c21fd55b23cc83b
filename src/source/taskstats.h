/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SS_SOURCE_TASKSTATS_H
#define SS_SOURCE_TASKSTATS_H

#include "source/parse.h"

/**
 * The record in a TASKSTATS_CMD_NEW message: an answer, or what a thread leaves when it ends.
 * Returns 0, -ENOMSG when it holds no record of one thread (but of a process), or -EBADMSG.
 */
int ss_taskstats_parse_message(const void *data, size_t len, struct ss_taskstats *ts);

#endif
