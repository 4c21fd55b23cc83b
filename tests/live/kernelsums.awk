# SPDX-License-Identifier: GPL-2.0-or-later
# What was recorded against the kernel's sums. Input: the report of the workload, the snapshots of
# the sums before and after, the samples. Variables: wrong, the names of sums that this kernel is
# known to have wrong; wake_ns, at most how long before it is queued, where the sums of the scheduler
# end, an I/O wait ends for delay accounting, if it is that which was recorded.

FNR == 1 {
	file++
	if (file == 4) {
		csv_columns(csv_fields())
		next
	}
}

file == 1 {
	if (match($0, /kind=[a-z]+/))
		name = substr($0, RSTART + 5, RLENGTH - 5)
	if (match($0, / tid=[0-9]+/))
		kind[substr($0, RSTART + 5, RLENGTH - 5)] = name
}

# What it slept so far includes the sleep that it is in.
function put(which) {
	at[which, $2] = $1
	now[which, $2] = $3	# a little later, on the scheduler's own clock
	sum[which, $2, "sleep"] = $4 + ($7 > 0 ? $3 - $7 : 0) + ($8 > 0 ? $3 - $8 : 0)
	if ($5 != "-")
		sum[which, $2, "block"] = $5 + ($8 > 0 ? $3 - $8 : 0)
	sum[which, $2, "iowait"] = $6
}

file == 2 {
	put("before")
	order[++threads] = $2
}

file == 3 {
	put("after")
}

# Windows that lie between the snapshots, and those that only reach in: the truth is between the two.
file == 4 {
	csv_fields()
	tid = F[column["tid"]]
	end = F[column["mono_ns"]] + 0
	begin = end - F[column["wall_ns"]]
	if (!(("before", tid) in at) || end <= at["before", tid] || begin >= at["after", tid])
		next
	iowait = F[column["iowait_ns"]] + 0
	block = F[column["block_ns"]] + iowait
	sleep = block + F[column["sleep_ns"]]
	inside = begin >= at["before", tid] && end <= at["after", tid]
	woken = iowait > 0 ? wake_ns * F[column["nvcsw"]] : 0
	if (woken > F[column["sleep_ns"]] + 0)
		woken = F[column["sleep_ns"]] + 0
	early[tid] += woken
	for (i = inside ? 1 : 2; i <= 2; i++) {
		wall[i, tid] += F[column["wall_ns"]]
		ours[i, tid, "iowait"] += iowait
		ours[i, tid, "block"] += block
		ours[i, tid, "sleep"] += sleep
		residual[i, tid] += F[column["residual_ns"]]
	}
	if (F[column["residual_ns"]] + 0 < 0)
		beyond[tid] -= F[column["residual_ns"]]
}

# Seconds by the kernel, then here: at least and at most.
function compare(tid, part,    theirs, least, most, slack, known) {
	if (!(("before", tid, part) in sum))
		return
	theirs = sum["after", tid, part] - sum["before", tid, part]
	least = ours[1, tid, part]
	most = ours[2, tid, part]
	slack = 0.02 * (now["after", tid] - now["before", tid])
	known = index(" " wrong " ", " " part " ")
	if (part != "sleep")
		most += early[tid]
	# Where sums are wrong, the parts of windows exceed their wall time, and the residual says it.
	if (wrong != "")
		least -= beyond[tid]
	printf " %8.3f %8.3f-%-8.3f", theirs / 1e9, least / 1e9, most / 1e9
	if ((theirs < least - slack || theirs > most + slack) && !known)
		fail(kind[tid] " " tid ": " part " is " theirs / 1e9 " s by the kernel and " \
		     least / 1e9 " to " most / 1e9 " s here")
}

END {
	print "seconds: all, sleep+block+iowait, block+iowait (where there is such a sum), iowait: each by"
	print "the kernel and here, at least and at most; residual in percent"
	for (t = 1; t <= threads; t++) {
		tid = order[t]
		if (!(tid in kind))
			continue
		if (wall[1, tid] < 1e9) {
			fail(kind[tid] " " tid ": only " wall[1, tid] + 0 " ns to compare")
			continue
		}
		compared++
		printf "%-9s %7.3f", kind[tid], (now["after", tid] - now["before", tid]) / 1e9
		compare(tid, "sleep")
		compare(tid, "block")
		compare(tid, "iowait")
		printf " %7.3f\n", 100 * residual[1, tid] / wall[1, tid]
	}
	if (!compared)
		fail("no thread to compare with")
}
