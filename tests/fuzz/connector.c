// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>

#include "fuzz.h"
#include "roster/connector.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ss_connector_event ev;
	int err = ss_connector_parse(data, size, &ev);

	CHECK(err == 0 || err == -EBADMSG);
	if (err)
		return 0;
	CHECK(ev.kind <= SS_CONNECTOR_OTHER);
	CHECK(ev.pid >= 0 && ev.tid >= 0 && ev.parent_pid >= 0 && ev.mono_ns > 0);
	CHECK(strnlen(ev.comm, sizeof(ev.comm)) < sizeof(ev.comm));
	if (ev.kind != SS_CONNECTOR_FORK)
		CHECK(!ev.parent_pid);
	if (ev.kind != SS_CONNECTOR_COMM)
		CHECK(!*ev.comm);
	/* A message is one event, whole. */
	CHECK(ss_connector_parse(data, size - 1, &ev) == -EBADMSG);
	return 0;
}
