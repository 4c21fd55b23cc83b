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

/* Before 5.16 (bcf9033e5449 "sched: move CPU field back into thread_info"). */
struct task_struct___before_5_16 {
	unsigned int cpu;
} __attribute__((preserve_access_index));

static __always_inline __s32 compat_cpu(const struct task_struct *t)
{
	const struct task_struct___before_5_16 *old = (const void *)t;

	if (bpf_core_field_exists(t->thread_info.cpu))
		return (__s32)t->thread_info.cpu;
	return (__s32)old->cpu;
}

/* Asleep as far as it is concerned, but left on its runqueue until it would be picked. */
static __always_inline int compat_sched_delayed(const struct task_struct *t)
{
	const struct sched_entity___since_6_12 *se = (const void *)&t->se;

	if (!bpf_core_field_exists(se->sched_delayed))
		return 0;
	return se->sched_delayed;
}

/* Since 6.2 (a35b9af4ec2c "bpf: Add a kfunc for generic type cast"). */
extern void *bpf_rdonly_cast(const void *obj, __u32 type_id) __weak __ksym;

/*
 * A kernel without CONFIG_FAIR_GROUP_SCHED, whose cfs_rq does not tell, refuses the programs.
 *
 * To load a pointer by one that is trusted makes the verifier look types up by name, each time it
 * comes by: most of what loading the programs would take.
 */
static __always_inline struct rq *compat_rq(const struct task_struct *t)
{
	struct cfs_rq *cfs_rq;

	if (bpf_rdonly_cast)
		t = bpf_rdonly_cast(t, bpf_core_type_id_kernel(struct task_struct));
	cfs_rq = t->se.cfs_rq;
	return cfs_rq->rq;
}

/* Before 5.12 (309dca309fc3 "block: store a block_device pointer in struct bio"). */
struct gendisk___before_5_12 {
	int major, first_minor;
} __attribute__((preserve_access_index));

struct bio___before_5_12 {
	struct gendisk___before_5_12 *bi_disk;
	u8 bi_partno;
} __attribute__((preserve_access_index));

/* The arguments of a tracepoint, as the kernel describes them, the first for the program's own. */
typedef void (*btf_trace_sched_switch)(void *, bool, struct task_struct *, struct task_struct *,
				       unsigned int);
typedef void (*btf_trace_block_bio_queue)(void *, struct bio *);

/* The state of @prev as it left; sched_switch tells it since 5.18 (9c2136be0878). */
static __always_inline __u32 compat_prev_state(const __u64 *ctx, const struct task_struct *prev)
{
	if (bpf_core_type_exists(btf_trace_sched_switch))
		return (__u32)ctx[3];
	return compat_state(prev);
}

/* The device of the I/O that block_bio_queue tells: behind its queue before 5.11 (e8a676d61c07). */
static __always_inline __u32 compat_bio_dev(const __u64 *ctx)
{
	const struct bio___before_5_12 *old;
	const struct bio *bio;
	__u64 argument;

	/* Two loads: one at an offset that depends is none for the verifier. */
	if (bpf_core_type_exists(btf_trace_block_bio_queue)) {
		argument = ctx[0];
	} else {
		argument = ctx[1];
		barrier_var(argument);
	}
	old = (const void *)argument;
	bio = (const void *)argument;
	if (bpf_core_field_exists(bio->bi_bdev))
		return BPF_CORE_READ(bio, bi_bdev, bd_dev);
	return (__u32)BPF_CORE_READ(old, bi_disk, major) << 20 |
	       (__u32)(BPF_CORE_READ(old, bi_disk, first_minor) + BPF_CORE_READ(old, bi_partno));
}

#endif
