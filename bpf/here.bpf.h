/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * Where the program itself is: its PID namespace, and the scheduler's clock of its CPU. Both are
 * kept in `shared` of the file that includes this.
 */
#ifndef SS_BPF_HERE_H
#define SS_BPF_HERE_H

static __always_inline int read_upid(struct upid *upid, const struct pid *pid, __u32 level)
{
	return bpf_probe_read_kernel(upid, sizeof(*upid), (const char *)pid +
				     bpf_core_field_offset(pid->numbers) + level * sizeof(*upid));
}

/* The number in the PID namespace that asked; 0: none. */
static __always_inline __s32 number_of_pid(const struct pid *pid)
{
	__u32 level = shared.pidns_level;
	struct upid upid;

	if (!pid || BPF_CORE_READ(pid, level) < level || read_upid(&upid, pid, level))
		return 0;
	return !level || BPF_CORE_READ(upid.ns, ns.inum) == shared.pidns_inum ? upid.nr : 0;
}

static __always_inline __s32 number_of(const struct task_struct *t)
{
	__s32 number = t->pid;

	/* One load for this and upid.nr, as the compiler would have it, is none for the verifier. */
	barrier_var(number);
	if (!shared.pidns_level)
		return number;
	/* Not read as a typed pointer: the verifier would not let it be added to. */
	return number_of_pid(BPF_CORE_READ(t, thread_pid));
}

/* This CPU's scheduler clock as the last update of its runqueue left it; and who asks. */
SEC("raw_tp")
int read_clock(void *ctx)
{
	struct task_struct *t = (void *)bpf_get_current_task();
	struct cfs_rq *cfs_rq = BPF_CORE_READ(t, se.cfs_rq);
	struct rq *rq = BPF_CORE_READ(cfs_rq, rq);
	struct upid upid;
	struct pid *pid;

	shared.clock_ns = BPF_CORE_READ(rq, clock);
	shared.mono_ns = bpf_ktime_get_ns();
	pid = BPF_CORE_READ(t, thread_pid);
	shared.pidns_level = BPF_CORE_READ(pid, level);
	if (!read_upid(&upid, pid, shared.pidns_level))
		shared.pidns_inum = BPF_CORE_READ(upid.ns, ns.inum);
	return 0;
}

#endif
