/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How each system call of this architecture waits. */
#ifndef SS_SOURCE_CALLS_H
#define SS_SOURCE_CALLS_H

#include <stdint.h>

#include "bpf/cause.h"

/* enum ss_call by number. */
extern const uint8_t ss_calls[SS_CALLS];

static inline uint8_t ss_call_of(int64_t nr)
{
	return nr >= 0 && nr < SS_CALLS ? ss_calls[nr] : SS_CALL_OTHER;
}

#endif
