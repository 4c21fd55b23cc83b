# SPDX-License-Identifier: GPL-2.0-or-later
# The I/O wait of a thread that only reads from a disk, against its own clock: what passes in its
# calls is that, but for what it runs and is queued, and for what the account says it cannot explain:
# since 6.12 the kernel's sums of waits lack those of which the dequeue was delayed. Within 2 % of the
# wall time; block that is no I/O wait is at most 5 % of it. Input: the report of the workload, the
# samples. Variable: wake_ns, at most how long before it is queued a wait ends for delay accounting:
# then the thread seems to sleep.

function smaller(a, b) {
	return a < b ? a : b
}

FNR == 1 {
	file++
	if (file == 2) {
		csv_columns(csv_fields())
		next
	}
}

file == 1 && /kind=dio / {
	report_values()
}

file == 2 {
	csv_fields()
	if (F[column["tid"]] != value["tid"])
		next
	iowait += F[column["iowait_ns"]]
	block += F[column["block_ns"]]
	rq += F[column["rq_ns"]]
	if (F[column["iowait_ns"]] > 0)
		woken += smaller(F[column["sleep_ns"]] + 0, wake_ns * F[column["nvcsw"]])
	residual += F[column["residual_ns"]]
}

END {
	most = value["slept_max_ns"] + 0
	least = most - (value["cpu_ns"] - value["cpu0_ns"]) - rq
	slack = 0.02 * (value["end_ns"] - value["begin_ns"])
	printf "dio: I/O wait %.3f s, block %.3f s, not explained %.3f s, woken and not queued at most " \
	       "%.3f s; by its own clock %.3f to %.3f s\n", iowait / 1e9, block / 1e9, residual / 1e9,
	       woken / 1e9, least / 1e9, most / 1e9
	if (!most)
		fail("it read nothing")
	if (iowait + block + residual + woken < least - slack || iowait > most + slack)
		fail("that is not within 2 % of the wall time")
	if (block > 0.05 * iowait)
		fail("too much of it is no I/O wait")
}
