/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What threads wait for, by numbers and by names that a person can read. A resource is found by
 * enum ss_object, its key and, unless keys of that object are the machine's, the process. It is
 * named once, when it is first seen: from what the kernel told of it, else from /proc. Not
 * thread-safe; bounded: the longest unused ones are forgotten, and are new when they are seen again.
 */
#ifndef SS_SOURCE_RESOURCES_H
#define SS_SOURCE_RESOURCES_H

#include "account/fields.h"
#include "base/procfs.h"
#include "bpf/wire.h"

struct ss_resources;

/** @procfs is borrowed. Returns 0 or -ENOMEM. */
int ss_resources_new(struct ss_resources **resources, const struct ss_procfs *procfs);
void ss_resources_free(struct ss_resources *resources);

/** What the kernel told of an object. Nothing in it is trusted. */
void ss_resources_tell(struct ss_resources *resources, const struct ss_object_info *info);

/**
 * The number of what @cause waits for, of process @pid: 0 for nothing, -ENOMEM. @fresh is set when
 * it has not had that number before: then ss_resources_row() tells it.
 */
int64_t ss_resources_id(struct ss_resources *resources, int32_t pid, const struct ss_cause *cause,
			bool *fresh);

/** Row of resource @id, but for its tick and time; of a forgotten one nothing but the id. */
void ss_resources_row(const struct ss_resources *resources, int64_t id,
		      struct ss_resource_row *row);

#endif
