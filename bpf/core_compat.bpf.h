/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * Fields that kernels name or type differently, each with the change that did it. Never asks for a
 * kernel version.
 */
#ifndef SS_BPF_CORE_COMPAT_H
#define SS_BPF_CORE_COMPAT_H

/* Before 5.14 (2f064a59a11f "sched: Change task_struct::state"). */
struct task_struct___before_5_14 {
	volatile long state;
} __attribute__((preserve_access_index));

/* Since 6.12 (152e11f6df29 "sched/fair: Implement delayed dequeue"). */
struct sched_entity___since_6_12 {
	unsigned char sched_delayed;
} __attribute__((preserve_access_index));

static __always_inline __u32 compat_state(const struct task_struct *t)
{
	const struct task_struct___before_5_14 *old = (const void *)t;

	if (bpf_core_field_exists(t->__state))
		return t->__state;
	return (__u32)old->state;
}

/* Asleep as far as it is concerned, but left on its runqueue until it would be picked. */
static __always_inline int compat_sched_delayed(const struct task_struct *t)
{
	const struct sched_entity___since_6_12 *se = (const void *)&t->se;

	if (!bpf_core_field_exists(se->sched_delayed))
		return 0;
	return se->sched_delayed;
}

/* A kernel without CONFIG_FAIR_GROUP_SCHED, whose cfs_rq does not tell, refuses the programs. */
static __always_inline struct rq *compat_rq(const struct task_struct *t)
{
	struct cfs_rq *cfs_rq = t->se.cfs_rq;

	return cfs_rq->rq;
}

#endif
