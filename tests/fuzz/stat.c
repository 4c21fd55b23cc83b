// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>

#include "fuzz.h"
#include "source/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ss_stat full, part;
	int err = ss_parse_stat((const char *)data, size, &full);
	size_t len;

	CHECK(err == 0 || err == -EBADMSG);
	if (err)
		return 0;
	CHECK(full.tid >= 0 && full.ppid >= 0 && full.cpu >= 0 && full.num_threads >= 0);
	CHECK(ss_state_of_letter(full.state) >= 0);
	len = strnlen(full.comm, sizeof(full.comm));
	CHECK(len < sizeof(full.comm));
	CHECK(memmem(data, size, full.comm, len));
	/* Cut off anywhere, it is the same or nothing. */
	for (len = 0; len < size; len++)
		if (!ss_parse_stat((const char *)data, len, &part))
			CHECK(!memcmp(&part, &full, sizeof(full)));
	return 0;
}
