// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>

#include "fuzz.h"
#include "source/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t runnable, last_pid;
	int err = ss_parse_loadavg((const char *)data, size, &runnable, &last_pid);

	CHECK(err == 0 || err == -EBADMSG);
	while (!err && size-- > 0)
		CHECK(ss_parse_loadavg((const char *)data, size, &runnable, &last_pid) == -EBADMSG);
	return 0;
}
