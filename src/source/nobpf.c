// SPDX-License-Identifier: GPL-2.0-or-later
/* In the place of bpf.c where it was not built. */
#include <errno.h>

#include "source/source.h"

static int nobpf_probe(struct ss_procfs *procfs, struct ss_caps *caps)
{
	(void)procfs;
	ss_caps_set(caps, "bpf", SS_CAP_NO, "not built in",
		    "exact windows, and those of ticks that come late",
		    "build with clang, bpftool and libbpf: configure --with-bpf=yes");
	return -ENOTSUP;
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
