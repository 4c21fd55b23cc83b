# SPDX-License-Identifier: GPL-2.0-or-later
# What each thread of a real program waited for, in percent of its blocked time, and that almost all
# of that is known: at most @max % is of an unknown kind or in a system call without one. Waits of a
# window add up to the time that its thread was blocked.
# Input: samples, waits. Variable: max.

BEGIN {
	nparts = split("sleep_ns block_ns iowait_ns stop_ns", part, " ")
}

FNR == 1 {
	file++
	csv_columns(csv_fields())
	next
}

{
	csv_fields()
	tid = F[column["tid"]]
	window = tid " " F[column["tick"]]
}

file == 1 {
	comm[tid] = F[column["comm"]]
	for (i = 1; i <= nparts; i++)
		blocked[window] += F[column[part[i]]]
}

file == 2 {
	kind = F[column["kind"]]
	ns = F[column["wait_ns"]] + 0
	waited[window] += ns
	all[tid] += ns
	of[tid, kind] += ns
	kinds[kind] = 1
	total += ns
	if (kind == "unknown" || kind == "syscall")
		other += ns
}

END {
	for (tid in all) {
		printf "%-16s %9.1f ms blocked:", comm[tid], all[tid] / 1e6
		for (kind in kinds)
			if (of[tid, kind])
				printf "  %s %.3f %%", kind, 100 * of[tid, kind] / all[tid]
		print ""
	}
	for (window in blocked)
		if (blocked[window] != waited[window] + 0)
			fail("waits of tid and tick " window " are " waited[window] + 0 " of " \
			     blocked[window] " ns blocked")
	share = total ? 100 * other / total : 100
	printf "%.4f %% of the blocked time has no kind\n", share
	if (share > max)
		fail("that is more than " max " %")
}
