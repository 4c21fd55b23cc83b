# SPDX-License-Identifier: GPL-2.0-or-later
# What was recorded against the kernel's sums. Input: the report of the workload, the snapshots of
# the sums before and after, the samples. Variable: wrong, the names of sums that this kernel is
# known to have wrong.

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

file == 4 {
	csv_fields()
	tid = F[column["tid"]]
	end = F[column["time_ns"]] + 0
	if (!(("before", tid) in at) || end - F[column["wall_ns"]] < at["before", tid] ||
	    end > at["after", tid])
		next
	wall[tid] += F[column["wall_ns"]]
	iowait = F[column["iowait_ns"]] + 0
	block = F[column["block_ns"]] + iowait
	ours[tid, "iowait"] += iowait
	ours[tid, "block"] += block
	ours[tid, "sleep"] += block + F[column["sleep_ns"]]
	residual[tid] += F[column["residual_ns"]]
}

# In percent: the shares of the same time, so that windows cut at an end do not matter.
function compare(tid, part,    theirs, mine, known) {
	if (!(("before", tid, part) in sum))
		return
	theirs = 100 * (sum["after", tid, part] - sum["before", tid, part]) / \
		 (now["after", tid] - now["before", tid])
	mine = 100 * ours[tid, part] / wall[tid]
	known = index(" " wrong " ", " " part " ")
	printf " %9.3f %9.3f", theirs, mine
	if ((mine - theirs > 2 || theirs - mine > 2) && !known)
		fail(kind[tid] " " tid ": " part " is " theirs " % by the kernel and " mine " % here")
}

END {
	print "kind          wall s    sleep+block+iowait %     block+iowait %           iowait %   residual %"
	print "                         kernel      ours    kernel      ours    kernel      ours"
	for (t = 1; t <= threads; t++) {
		tid = order[t]
		if (!(tid in kind))
			continue
		if (wall[tid] < 1e9) {
			fail(kind[tid] " " tid ": only " wall[tid] + 0 " ns to compare")
			continue
		}
		compared++
		printf "%-11s %8.3f ", kind[tid], wall[tid] / 1e9
		compare(tid, "sleep")
		compare(tid, "block")
		compare(tid, "iowait")
		printf " %9.3f\n", 100 * residual[tid] / wall[tid]
	}
	if (!compared)
		fail("no thread to compare with")
}
