/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/syscall.h"

#include <stddef.h>
#include <sys/syscall.h>

#include "base/util.h"

const char *ss_syscall_name(long nr)
{
	/* Not indexed: on some architectures they begin at a base, and two can have one number. */
	static const struct {
		long nr;
		const char *name;
	} calls[] = {
#include "src/base/syscall_names.h"
	};

	for (size_t i = 0; i < SS_ARRAY_SIZE(calls); i++)
		if (calls[i].nr == nr)
			return calls[i].name;
	return NULL;
}
