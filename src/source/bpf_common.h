/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the sources that load BPF programs share.
 */
#ifndef SS_SOURCE_BPF_COMMON_H
#define SS_SOURCE_BPF_COMMON_H

#include <bpf/libbpf.h>
#include <linux/types.h>
#include <stdint.h>

#include "base/caps.h"

/** Keep the library's messages, for ss_bpf_report(); forget those of before. */
void ss_bpf_hush(void);

/**
 * Add the entry @name to @caps: @found when @err is 0, else what @err of opening the source means,
 * and what is @lost without it. -ENOTSUP: /proc is not that of the program's PID namespace.
 */
void ss_bpf_report(struct ss_caps *caps, const char *name, int err, const char *found,
		   const char *lost);

/** Go over all that an iterator lists; its program prints nothing. Returns 0 or -errno. */
int ss_bpf_run_iter(const struct bpf_link *link);

/**
 * The scheduler's clock of this CPU against CLOCK_MONOTONIC. @read_clock leaves both where @clock_ns
 * and @mono_ns point. Returns 0 or negative errno.
 */
int ss_bpf_read_clock(const struct bpf_program *read_clock, const volatile __u64 *clock_ns,
		      const volatile __u64 *mono_ns, int64_t *mono_to_rq_ns);

#endif
