# SPDX-License-Identifier: GPL-2.0-or-later
# Sampled waits: those of each window add up to the time that its thread was blocked, exactly, and
# have the kinds that the threads' work tells.
# Input: the report of the workload, the samples, the waits.

# At least @min % of the blocked time of a thread of @kind is in waits of @wait, and all but @rest %
# is that or unknown.
function limit(kind, wait, min, rest) {
	l_wait[kind] = wait
	l_min[kind] = min
	l_rest[kind] = rest
}

BEGIN {
	limit("sleep", "futex", 95, 1)
	limit("idle", "futex", 95, 1)
	limit("stop", "stop", 95, 5)
	limit("halfload", "futex", 5, 5)
	limit("pingpong", "pipe", 1, 5)
	nparts = split("sleep_ns block_ns iowait_ns stop_ns", part, " ")
	nempty = split("count ended_ns max_ns hist waker waker_pid waker_tid", empty, " ")
}

FNR == 1 {
	file++
	if (file > 1) {
		csv_columns(csv_fields())
		next
	}
}

file == 1 && $1 == "thread" {
	report_values()
	if (!("skip" in value)) {
		tid = value["tid"]
		kind[tid] = value["kind"]
		begin[tid] = value["begin_ns"] + 0
		end[tid] = value["end_ns"] + 0
	}
	next
}

file == 2 {
	csv_fields()
	tid = F[column["tid"]]
	window = tid " " F[column["tick"]]
	for (i = 1; i <= nparts; i++)
		blocked[window] += F[column[part[i]]]
	mono = F[column["mono_ns"]] + 0
	if (tid in kind && mono <= end[tid] && mono - F[column["wall_ns"]] >= begin[tid])
		counts[window] = 1
}

file == 3 {
	csv_fields()
	tid = F[column["tid"]]
	window = tid " " F[column["tick"]]
	ns = F[column["wait_ns"]] + 0
	if (ns <= 0)
		fail("wait_ns is '" F[column["wait_ns"]] "'")
	if (F[column["quality"]] != "sampled")
		fail("quality is '" F[column["quality"]] "'")
	for (i = 1; i <= nempty; i++)
		if (F[column[empty[i]]] != "")
			fail(empty[i] " was not measured, and is '" F[column[empty[i]]] "'")
	if (F[column["kind"]] ~ /^(futex|pipe)$/ &&
	    (F[column["syscall"]] == "" || F[column["resource"]] == ""))
		fail(F[column["kind"]] " without a system call or a resource")
	waited[window] += ns
	rows++
	if (counts[window]) {
		all[tid] += ns
		of[tid, F[column["kind"]]] += ns
	}
}

END {
	for (window in waited)
		if (!(window in blocked))
			fail("waits of tid and tick " window ", which have no sample")
	for (window in blocked)
		if (blocked[window] != waited[window] + 0)
			fail("waits of tid and tick " window " are " waited[window] + 0 " of " \
			     blocked[window] " ns blocked")
	for (tid in kind) {
		if (!(kind[tid] in l_wait))
			continue
		w = l_wait[kind[tid]]
		ns = all[tid] ? all[tid] : 1
		share = 100 * of[tid, w] / ns
		rest = 100 * (all[tid] - of[tid, w] - of[tid, "unknown"]) / ns
		printf "waits: %-9s %7.3f s blocked, %7.3f %% %s, %7.3f %% neither that nor unknown\n",
		       kind[tid], all[tid] / 1e9, share, w, rest
		if (share < l_min[kind[tid]] || rest > l_rest[kind[tid]])
			fail(kind[tid] " " tid ": " share " % of its waits are " w ", " rest \
			     " % are others")
	}
	if (!rows)
		fail("no waits")
	print "waits: " rows + 0 " rows add up"
}
