// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <inttypes.h>

#include "fuzz.h"
#include "source/parse.h"

/* Printed as the kernel does. */
static int print_call(const struct ss_syscall *call, char *text, size_t size)
{
	const uint64_t *a = call->arg;

	switch (call->where) {
	case SS_SYSCALL_RUNNING:
		return snprintf(text, size, "running\n");
	case SS_SYSCALL_OUTSIDE:
		return snprintf(text, size, "%d 0x%" PRIx64 " 0x%" PRIx64 "\n", call->nr, call->sp,
				call->pc);
	default:
		return snprintf(text, size, "%d 0x%" PRIx64 " 0x%" PRIx64 " 0x%" PRIx64 " 0x%" PRIx64
				" 0x%" PRIx64 " 0x%" PRIx64 " 0x%" PRIx64 " 0x%" PRIx64 "\n",
				call->nr, a[0], a[1], a[2], a[3], a[4], a[5], call->sp, call->pc);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ss_syscall call, again;
	struct ss_cause cause;
	int err = ss_parse_syscall((const char *)data, size, &call), n;
	char *link = fuzz_string(data, size), text[256];

	CHECK(ss_kind_of_wchan((const char *)data, size) < SS_WAIT_KINDS);
	CHECK(ss_object_of_link(link) < SS_OBJECTS);
	free(link);
	CHECK(err == 0 || err == -EBADMSG);
	if (err)
		return 0;
	CHECK(call.where == SS_SYSCALL_INSIDE ? call.nr >= 0 : call.nr == -1);
	n = print_call(&call, text, sizeof(text));
	CHECK(n > 0 && n < (int)sizeof(text));
	CHECK(!ss_parse_syscall(text, (size_t)n, &again));
	CHECK(!memcmp(&call, &again, sizeof(call)));
	ss_cause_of_syscall(&call, &cause);
	CHECK(cause.kind != SS_WAIT_UNKNOWN && cause.kind < SS_WAIT_KINDS);
	CHECK(cause.object < SS_OBJECTS && !ss_object_is_global(cause.object));
	CHECK(cause.syscall == -1 || cause.syscall == call.nr);
	CHECK(cause.fd >= -1);
	/* Nothing is known of a part of it. */
	while (size-- > 0)
		CHECK(ss_parse_syscall((const char *)data, size, &again) == -EBADMSG);
	return 0;
}
