// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>

#include "source/taskstats.h"
#include "taskstats.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ss_taskstats ts;
	/* A buffer of the heap is aligned, as those that the kernel fills. */
	char *message = fuzz_string(data, size);
	int err = ss_taskstats_parse_message(message, size, &ts);

	CHECK(err == 0 || err == -EBADMSG || err == -ENOMSG);
	if (!err)
		check_taskstats(&ts);
	free(message);
	return 0;
}
