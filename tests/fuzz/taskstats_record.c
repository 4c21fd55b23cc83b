// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>

#include "taskstats.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ss_taskstats ts, longer;
	int err = ss_parse_taskstats(data, size, &ts);
	uint8_t *more;

	CHECK(err == 0 || err == -EBADMSG);
	if (err)
		return 0;
	check_taskstats(&ts);
	if (ts.version < 16 || ts.delay_have != (1u << SS_DELAY_COUNT) - 1)
		return 0;
	/* What a later kernel appends changes nothing. */
	more = malloc(size + 64);
	CHECK(more);
	memcpy(more, data, size);
	memset(more + size, 0xa5, 64);
	CHECK(!ss_parse_taskstats(more, size + 64, &longer));
	CHECK(!memcmp(&ts, &longer, sizeof(ts)));
	free(more);
	return 0;
}
