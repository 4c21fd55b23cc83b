// SPDX-License-Identifier: GPL-2.0-or-later
/* In the place of bpf.c and bpf_snapshot.c where they were not built. */
#include <errno.h>

#include "source/source.h"

static int refuse(struct ss_caps *caps, const char *name, const char *lost)
{
	ss_caps_set(caps, name, SS_CAP_NO, "not built in", lost,
		    "build with clang, bpftool and libbpf: configure --with-bpf=yes");
	return -ENOTSUP;
}

static int nobpf_probe(struct ss_procfs *procfs, struct ss_caps *caps)
{
	(void)procfs;
	return refuse(caps, "bpf", "exact windows, and those of ticks that come late");
}

static int nobpf_open(struct ss_source **out, const struct ss_source_env *env)
{
	(void)out;
	return nobpf_probe(env->procfs, env->caps);
}

const struct ss_source_ops ss_source_bpf = {
	.name = "bpf",
	.help = "every scheduler event of each thread, accounted in the kernel (not built in)",
	.probe = nobpf_probe,
	.open = nobpf_open,
};

static int nosnapshot_probe(struct ss_procfs *procfs, struct ss_caps *caps)
{
	(void)procfs;
	return refuse(caps, "bpf-snapshot", "counters with exact parts in flight at little cost");
}

static int nosnapshot_open(struct ss_source **out, const struct ss_source_env *env)
{
	(void)out;
	return nosnapshot_probe(env->procfs, env->caps);
}

const struct ss_source_ops ss_source_bpf_snapshot = {
	.name = "bpf-snapshot",
	.help = "counters of each thread with their parts in flight, read in the kernel (not built "
		"in)",
	.probe = nosnapshot_probe,
	.open = nosnapshot_open,
};
