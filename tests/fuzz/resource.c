// SPDX-License-Identifier: GPL-2.0-or-later
/* Objects as the kernel told them, without a /proc. */
#include "fuzz.h"
#include "source/resources.h"

static void check_told(struct ss_resources *r, const struct ss_object_info *info,
		       const struct ss_object_info *next)
{
	const struct ss_cause cause = { .object = info->object, .fd = -1,
					.key = { info->key[0], info->key[1] } };
	struct ss_resource_row row;
	bool fresh;
	int64_t id, later;

	ss_resources_tell(r, info);
	id = ss_resources_id(r, info->pid, &cause, &fresh);
	if (info->object == SS_OBJECT_NONE || info->object >= SS_OBJECTS) {
		CHECK(id == 0 && !fresh);
		return;
	}
	CHECK(id > 0);
	ss_resources_row(r, id, &row);
	CHECK(row.id == id && row.object == info->object);
	CHECK(memchr(row.name, 0, sizeof(row.name)));
	CHECK(!(row.have & SS_RESOURCE_NAME) == !row.name[0]);
	CHECK(!(row.have & SS_RESOURCE_PID) == !!ss_object_is_global(row.object));
	/* Told again it is the same, whatever it is. */
	ss_resources_tell(r, info);
	CHECK(ss_resources_id(r, info->pid, &cause, &fresh) == id && !fresh);
	ss_resources_tell(r, next);
	later = ss_resources_id(r, info->pid, &cause, &fresh);
	CHECK(fresh ? later > id : later == id);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct ss_procfs procfs = { .root = -1 };
	static struct ss_resources *resources;
	struct ss_object_info info, next;

	if (!resources)
		CHECK(!ss_resources_new(&resources, &procfs));
	fuzz_take(&data, &size, &info, sizeof(info));
	fuzz_take(&data, &size, &next, sizeof(next));
	check_told(resources, &info, &next);
	return 0;
}
