/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/caps.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"

void ss_caps_set(struct ss_caps *caps, const char *name, enum ss_cap_state state,
		 const char *detail, const char *lost, const char *remedy)
{
	struct ss_cap *cap = (struct ss_cap *)ss_caps_find(caps, name);

	if (!cap) {
		/* Names are constants of this program: too many is a mistake of its authors. */
		assert(caps->n < SS_ARRAY_SIZE(caps->cap));
		cap = &caps->cap[caps->n++];
		snprintf(cap->name, sizeof(cap->name), "%s", name);
	}
	cap->state = state;
	snprintf(cap->detail, sizeof(cap->detail), "%s", detail ? detail : "");
	snprintf(cap->lost, sizeof(cap->lost), "%s", lost ? lost : "");
	snprintf(cap->remedy, sizeof(cap->remedy), "%s", remedy ? remedy : "");
}

const struct ss_cap *ss_caps_find(const struct ss_caps *caps, const char *name)
{
	for (size_t i = 0; i < caps->n; i++)
		if (!strcmp(caps->cap[i].name, name))
			return &caps->cap[i];
	return NULL;
}

const char *ss_cap_state_name(enum ss_cap_state state)
{
	static const char *const names[] = {
		[SS_CAP_NO] = "no", [SS_CAP_YES] = "yes", [SS_CAP_PARTLY] = "partly",
	};

	return names[state];
}
