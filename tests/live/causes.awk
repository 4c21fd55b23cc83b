# SPDX-License-Identifier: GPL-2.0-or-later
# Waits against threads that know what they waited for. Only windows within the time of their work
# count; but in all windows the waits add up to the time that the thread was blocked.
# Input: the report of the causes program, resources, samples, wakes, waits.

BEGIN {
	min = 99
	nparts = split("sleep_ns block_ns iowait_ns stop_ns", part, " ")
}

FNR == 1 {
	file++
	if (file > 1) {
		csv_columns(csv_fields())
		next
	}
}

# The value of word @name= of the line.
function word(name,    i) {
	for (i = 2; i <= NF; i++)
		if (index($i, name "=") == 1)
			return substr($i, length(name) + 2)
	return ""
}

file == 1 && / skip=/ {
	skip = $0
	sub(/ skip=/, " is left out: ", skip)
	if (skip !~ /not asked for/)
		print skip
	next
}

file == 1 && / tid=/ {
	tid = word("tid")
	order[++ncauses] = tid
	name[tid] = $1
	kind[tid] = word("kind")
	call[tid] = "^(" word("syscall") ")$"
	key[tid] = word("key")
	pattern[tid] = word("name")
	waker[tid] = word("waker")
	begin[tid] = word("begin_ns") + 0
	end[tid] = word("end_ns") + 0
	blocked_share[tid] = 100 * word("blocked_ns") / (end[tid] - begin[tid])
	next
}

file == 2 {
	csv_fields()
	resource_key[F[column["id"]]] = F[column["key0"]]
	resource_name[F[column["id"]]] = F[column["name"]]
}

file == 3 {
	csv_fields()
	tid = F[column["tid"]]
	window = tid " " F[column["tick"]]
	for (i = 1; i <= nparts; i++)
		blocked[window] += F[column[part[i]]]
	mono = F[column["mono_ns"]] + 0
	if (tid in name && mono <= end[tid] && mono - F[column["wall_ns"]] >= begin[tid]) {
		counts[window] = 1
		wall[tid] += F[column["wall_ns"]]
		run[tid] += F[column["run_ns"]] + F[column["stolen_ns"]]
		rq[tid] += F[column["rq_ns"]]
	}
}

file == 4 {
	csv_fields()
	tid = F[column["tid"]]
	if (counts[tid " " F[column["tick"]]] && F[column["kind"]] == kind[tid]) {
		wakes[tid] += F[column["ended_wait_ns"]]
		if (F[column["waker_tid"]] == waker[tid] + 0)
			right_wakes[tid] += F[column["ended_wait_ns"]]
	}
}

function is_right_resource(tid, id) {
	if (pattern[tid] == "-")
		return 1
	if (pattern[tid] == "none")
		return id == ""
	return id != "" && (key[tid] == "-" || resource_key[id] == key[tid]) &&
	       resource_name[id] ~ pattern[tid]
}

file == 5 {
	csv_fields()
	tid = F[column["tid"]]
	window = tid " " F[column["tick"]]
	ns = F[column["wait_ns"]] + 0
	waited[window] += ns
	if (!counts[window])
		next
	all[tid] += ns
	if (F[column["kind"]] == kind[tid] && F[column["syscall"]] ~ call[tid])
		right_kind[tid] += ns
	else
		wrong[tid] = F[column["kind"]] " in " F[column["syscall"]]
	if (F[column["kind"]] != kind[tid])
		next
	if (is_right_resource(tid, F[column["resource"]]))
		right_resource[tid] += ns
	else
		wrong[tid] = "resource " F[column["resource"]] " '" resource_name[F[column["resource"]]] "'"
	# Of an event that was missed nobody knows whose it was, and the row says so.
	if (F[column["quality"]] == "repaired" && F[column["waker"]] == "")
		next
	ended[tid] += F[column["ended_ns"]]
	if ((waker[tid] == "any" && F[column["waker"]] != "") ||
	    (waker[tid] != "any" && F[column["waker_tid"]] == waker[tid] + 0) ||
	    (waker[tid] ~ /interrupt/ && F[column["waker"]] == "interrupt"))
		right_waker[tid] += F[column["ended_ns"]]
	else if (F[column["count"]] > 0)
		wrong[tid] = "waker " F[column["waker"]] " " F[column["waker_tid"]]
}

function percent(ns, of) {
	return of ? 100 * ns / of : 0
}

END {
	printf "%-10s %-9s %9s %8s %8s %8s %8s %8s\n", "cause", "kind", "wall ms", "blocked%",
	       "kind%", "resource%", "waker%", "wakes%"
	for (i = 1; i <= ncauses; i++) {
		tid = order[i]
		k = percent(right_kind[tid], all[tid])
		r = percent(right_resource[tid], all[tid])
		w = percent(right_waker[tid], ended[tid])
		a = waker[tid] ~ /^[0-9]/ ? percent(right_wakes[tid], wakes[tid]) : 100
		b = percent(all[tid], wall[tid])
		printf "%-10s %-9s %9.1f %8.3f %8.3f %8.3f %8.3f %8.3f %s\n", name[tid], kind[tid],
		       wall[tid] / 1e6, b, k, r, w, a, wrong[tid]
		if (!wall[tid])
			fail(name[tid] ": no window of it")
		if (k < min || r < min || w < min || a < min)
			fail(name[tid] " " tid ": less than " min " % is right")
		# It measured around its calls: waits and the runqueue are within, and of the time on a CPU
		# some, also of what was stolen of that.
		low = percent(all[tid] + rq[tid], wall[tid])
		if (blocked_share[tid] < low - 1 ||
		    blocked_share[tid] > low + percent(run[tid], wall[tid]) + 1)
			fail(name[tid] " " tid ": measured " blocked_share[tid] " %, recorded " low " %")
	}
	for (window in waited)
		if (!(window in blocked))
			fail("waits of tid and tick " window ", which have no sample")
	for (window in blocked)
		if (blocked[window] != waited[window] + 0)
			fail("waits of tid and tick " window " are " waited[window] + 0 " of " \
			     blocked[window] " ns blocked")
	if (!ncauses)
		fail("no causes")
}
