// SPDX-License-Identifier: GPL-2.0-or-later
#include "source/source.h"

const struct ss_source_ops *const ss_sources[] = {
	&ss_source_taskstats,
	&ss_source_procfs,
	NULL,
};
