# SPDX-License-Identifier: GPL-2.0-or-later
# What the recording says of each thread against what the thread says of itself.
# Input: the report of the workload, then the samples. Variables: percent and slack_ns, by which what
# a thread ran may differ (0.5 % and 100 us).

# In windows within its running phase, @part of a thread of @kind is @min to @max % of wall.
function limit(kind, part, min, max) {
	limits++
	l_kind[limits] = kind
	l_part[limits] = part
	l_min[limits] = min
	l_max[limits] = max
}

BEGIN {
	percent = 0.5
	slack_ns = 100000
	limit("spin", "sleep_ns", 0, 0.1)
	limit("spin", "block_ns", 0, 0.1)
	limit("sleep", "run_ns", 0, 0.5)
	limit("idle", "run_ns", 0, 0.5)
	limit("stop", "stop_ns", 99, 100)
	limit("throttled", "rq_ns", 75, 100)	# other load adds to what the quota takes
	limit("throttled", "sleep_ns", 0, 0.1)
	nparts = split("run_ns rq_ns sleep_ns block_ns iowait_ns stop_ns residual_ns", part, " ")
}

FNR == 1 {
	file++
	if (file == 2) {
		csv_columns(csv_fields())
		next
	}
}

file == 1 && $1 == "thread" {
	report_values()
	if ("skip" in value) {
		sub(/^.*skip=/, "")
		print "not here: " value["kind"] ": " $0
		next
	}
	tid = value["tid"]
	order[++threads] = tid
	kind[tid] = value["kind"]
	truth[tid] = value["cpu_ns"] - value["cpu0_ns"]
	begin[tid] = value["begin_ns"] + 0
	end[tid] = value["end_ns"] + 0
	exits[tid] = value["exits"] + 0
	slept[tid] = value["slept_ns"] + 0
	slept_max[tid] = value["slept_max_ns"] + 0
	next
}

file == 2 {
	csv_fields()
	tid = F[column["tid"]]
	if (!(tid in kind))
		next
	run[tid] += F[column["run_ns"]]
	if (F[column["event"]] ~ /exit/)
		exited[tid] = 1
	mono = F[column["mono_ns"]] + 0
	if (!(tid in first))
		first[tid] = mono - F[column["wall_ns"]]
	last[tid] = mono
	sleep[tid] += F[column["sleep_ns"]]
	bound[tid] += F[column["bound_ns"]]
	last_wall[tid] = F[column["wall_ns"]] + 0
	from = mono - last_wall[tid]
	from = from < begin[tid] ? begin[tid] : from
	to = mono > end[tid] ? end[tid] : mono
	if (to > from)
		covered[tid] += to - from
	if (mono > end[tid] || mono - F[column["wall_ns"]] < begin[tid]) {
		awake[tid] += F[column["run_ns"]] + F[column["rq_ns"]]
		next
	}
	wall[tid] += F[column["wall_ns"]]
	for (i = 1; i <= nparts; i++)
		sum[tid, part[i]] += F[column[part[i]]]
	worst = F[column["residual_ns"]] + 0
	worst = worst < 0 ? -worst : worst
	residual[tid] = worst > residual[tid] ? worst : residual[tid]
}

END {
	printf "%-11s %8s", "kind", "wall s"
	for (i = 1; i <= nparts; i++)
		printf " %9s", substr(part[i], 1, length(part[i]) - 3) "%"
	print "  worst residual us   run error us  sleep error us       bound us"
	for (t = 1; t <= threads; t++) {
		tid = order[t]
		w = wall[tid] ? wall[tid] : 1
		printf "%-11s %8.3f", kind[tid], wall[tid] / 1e9
		for (i = 1; i <= nparts; i++)
			printf " %9.3f", 100 * sum[tid, part[i]] / w
		error = run[tid] - truth[tid]
		printf "  %17.1f %14.1f", residual[tid] / 1e3, error / 1e3
		# These sleep at least as long as they mean to, and while parked, but for what they wait
		# for a CPU on the way there; timers may be late.
		if (kind[tid] ~ /^(halfload|hostile|burst|nap)$/) {
			parked = begin[tid] - first[tid] + last[tid] - end[tid]
			least = slept[tid] + parked - awake[tid]
			most = slept_max[tid] + parked
			error = sleep[tid] < least ? sleep[tid] - least : \
				sleep[tid] > most ? sleep[tid] - most : 0
			printf " %15.1f %14.1f", error / 1e3, bound[tid] / 1e3
			error = error < 0 ? -error : error
			if (error > bound[tid] + 0.002 * w)
				fail(kind[tid] " " tid ": slept " least " to " most " ns, recorded " \
				     sleep[tid] ", said to be wrong by at most " bound[tid])
			# What a sleeper is said to be wrong by is queue that was taken for sleep.
			most = end[tid] - begin[tid] - truth[tid] - slept[tid]
			if (kind[tid] == "nap" && sum[tid, "rq_ns"] > most + 0.005 * w)
				fail(kind[tid] " " tid ": queued at most " most " ns, recorded " \
				     sum[tid, "rq_ns"])
		}
		print ""

		if (!exits[tid] && covered[tid] < 0.999 * (end[tid] - begin[tid]))
			fail(kind[tid] " " tid ": only " covered[tid] " ns of its time are covered")
		# What follows would say nothing of a thread without whole windows.
		if (!exits[tid] && !wall[tid])
			fail(kind[tid] " " tid ": no window lies within its time")
		# A thread that ended can have run all the time since it looked at its clock, and took
		# along what it ran in its last window.
		error = run[tid] - truth[tid]
		allowed = percent / 100 * truth[tid] + slack_ns
		# It runs little, and there are many: one can be held up between its clock and its parking.
		if (kind[tid] == "nap")
			allowed += 2000000
		if (error > allowed + exits[tid] * (last[tid] - end[tid]) ||
		    -error > allowed + exits[tid] * last_wall[tid])
			fail(kind[tid] " " tid ": ran " truth[tid] " ns, recorded " run[tid])
		if (exits[tid] != exited[tid] + 0)
			fail(kind[tid] " " tid ": exits " exits[tid] ", recorded " exited[tid])
		for (i = 1; i <= limits; i++) {
			share = 100 * sum[tid, l_part[i]] / w
			most = l_max[i]
			# Next to nothing but what it was charged: a virtual CPU can stop while it has it.
			if (l_part[i] == "run_ns")
				most += 100 * truth[tid] / (end[tid] - begin[tid])
			if (l_kind[i] == kind[tid] && (share < l_min[i] || share > most))
				fail(kind[tid] " " tid ": " l_part[i] " is " share " % of wall, not " \
				     l_min[i] " to " most)
		}
	}
	if (!threads)
		fail("no thread to compare with")
}
