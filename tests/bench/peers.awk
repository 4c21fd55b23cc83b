# SPDX-License-Identifier: GPL-2.0-or-later
# What two programs say of the same threads over the same time. Input: the report of the workload,
# the kernel's account before and after (schedstat), the samples, what the peer wrote. Variables:
# interval_ns; peer, timehist or offcputime.
#
# timehist has three durations for each switch-out, cut to microseconds: off its CPU before, of that
# in the queue after a wakeup, on its CPU; what a thread that was preempted waits is in the first
# only. All are clipped to the windows that lie in the running phase of every thread, without those
# that were repaired: the peer misses the same events, and says nothing.
#
# offcputime adds up what lies between a switch-out and the next switch-in, queued or not. It begins
# and ends while the threads are parked, and does not count these two waits; nor one of which it
# misses an event.
#
# Both stamp an event when they are told of it, the kernel's account takes the runqueue's clock.
# That one stands still from a wakeup that preempts to the switch (rq_clock_skip_update()): what the
# CPU does in between counts for the thread that was woken, some microseconds each time, and not for
# the one that had to leave. Before a switch to the idle thread the CPU looks for other work, which
# counts as run for peers only. And a tracer that is told first makes the next one late.
#
# So where a peer says something else, the kernel's own counters decide. Its runqueue time has sleep
# in it since 6.12, of a thread that is migrated while its dequeue is delayed, and leaves out what
# moving a thread takes.

BEGIN {
	percent = 2
	rate_max = 5000
}

FNR == 1 {
	file++
	if (file == 4) {
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
	began[tid] = value["begin_ns"] + 0
	ended[tid] = value["end_ns"] + 0
	if (!from || began[tid] > from)
		from = began[tid]
	if (!to || ended[tid] < to)
		to = ended[tid]
	next
}

file == 2 || file == 3 {
	kernel[$1, "run"] += file == 2 ? -$2 : $2
	kernel[$1, "rq"] += file == 2 ? -$3 : $3
}

file == 4 {
	csv_fields()
	tid = F[column["tid"]]
	if (!(tid in kind))
		next
	end = F[column["mono_ns"]] + 0
	begin = end - F[column["wall_ns"]]
	all[tid, "run"] += F[column["run_ns"]]
	all[tid, "rq"] += F[column["rq_ns"]]
	bound[tid] += F[column["bound_ns"]]
	if (peer == "timehist" && (begin < from || end > to))
		next
	if (!(tid in first))
		first[tid] = begin
	last[tid] = end
	quality[F[column["quality"]]]++
	if (peer == "timehist") {
		windows[tid]++
		if (F[column["quality"]] != "exact") {
			repaired[tid, windows[tid] - 1] = 1
			next
		}
	}
	ours[tid, "run"] += F[column["run_ns"]]
	ours[tid, "rq"] += F[column["rq_ns"]]
	ours[tid, "off"] += F[column["rq_ns"]] + F[column["sleep_ns"]] + F[column["block_ns"]] + \
			    F[column["iowait_ns"]] + F[column["stop_ns"]]
	switches[tid] += F[column["nvcsw"]] + F[column["nivcsw"]]
	next
}

# "123.456" milliseconds
function ns(text) {
	return text * 1e6
}

# The part of it that lies in windows that count.
function clip(tid, part, begin, end,    w, from_ns, to_ns) {
	w = begin > first[tid] ? int((begin - first[tid]) / interval_ns) : 0
	for (; w < windows[tid]; w++) {
		from_ns = first[tid] + w * interval_ns
		if (from_ns >= end)
			break
		if ((tid, w) in repaired)
			continue
		to_ns = from_ns + interval_ns
		theirs[tid, part] += (end < to_ns ? end : to_ns) - \
				     (begin > from_ns ? begin : from_ns)
	}
}

# seconds.microseconds [cpu] comm[tid/pid] wait delay run state
file == 5 && peer == "timehist" && match($0, /\[[0-9]+(\/[0-9]+)?\] +[0-9.]+ +[0-9.]+ +[0-9.]+ /) {
	n = split(substr($0, RSTART + 1, RLENGTH - 2), f, /[]\/ ]+/)
	tid = f[1]
	if (!(tid in kind))
		next
	split($1, stamp, ".")
	out = stamp[1] * 1e9 + stamp[2] * 1e3
	arrival = out - ns(f[n])
	clip(tid, "run", arrival, out)
	clip(tid, "off", arrival - ns(f[n - 2]), arrival)
	clip(tid, "rq", arrival - ns(preempted[tid] ? f[n - 2] : f[n - 1]), arrival)
	# R is W where perf does not know how this kernel says preempted.
	preempted[tid] = $NF ~ /^[RW]/
}

file == 5 && peer == "offcputime" && owner {
	theirs[owner, "off"] += $1 * 1e3
	owner = ""
}

file == 5 && peer == "offcputime" && /^ *- .* \([0-9]+\)$/ {
	owner = substr($NF, 2, length($NF) - 2)
}

# Off the CPU is the rest of run.
function kernel_says(tid, part,    counter, error) {
	part = part == "rq" ? "rq" : "run"
	counter = kernel[tid, part]
	error = all[tid, part] - counter
	error = error < 0 ? -error : error
	return error <= (part == "rq" ? percent / 100 * counter : 20000 + 0.0001 * counter)
}

function compare(tid, part,    we, they, error, size, each_ns) {
	we = ours[tid, part]
	they = theirs[tid, part]
	error = we - they
	size = error < 0 ? -error : error
	each_ns = switches[tid] ? error / switches[tid] : error
	printf "  %10.3f %10.3f %8.3f %7.2f", we / 1e6, they / 1e6, they ? 100 * error / they : 0, \
	       each_ns / 1e3
	if (rate > rate_max) {
		fast++
	} else if (size <= percent / 100 * they) {
		within++
	} else if (kernel_says(tid, part)) {
		decided++
	} else {
		noted[++beyond] = kind[tid] " " tid ": " part " is " we " ns here and " they " ns there"
	}
}

END {
	nparts = split(peer == "timehist" ? "run rq off" : "off", part, " ")
	printf "%-9s %7s %9s", "ms", "wall", "switch/s"
	printf " %9s %10s %9s", "run-kernel", "rq-kernel", "bound us"
	for (i = 1; i <= nparts; i++)
		printf "  %10s %10s %8s %7s", part[i], "theirs", "more %", "us each"
	print ""
	for (t = 1; t <= threads; t++) {
		tid = order[t]
		wall = last[tid] - first[tid]
		if (wall < 1e9) {
			fail(kind[tid] " " tid ": only " wall + 0 " ns to compare")
			continue
		}
		# Of what was recorded while it was parked, it was off its CPU but for microseconds.
		if (peer == "offcputime")
			ours[tid, "off"] -= began[tid] - first[tid] + last[tid] - ended[tid]
		# Its counter is what the account is made of; parked, nothing of it is in flight.
		error = all[tid, "run"] - kernel[tid, "run"]
		allowed = 100000 + 0.005 * kernel[tid, "run"]
		if (error > allowed || -error > allowed)
			fail(kind[tid] " " tid ": ran " kernel[tid, "run"] " ns by the kernel, " \
			     all[tid, "run"] " ns here")
		rate = switches[tid] / wall * 1e9
		printf "%-9s %7.0f %9.1f", kind[tid], wall / 1e6, rate
		printf " %10.1f %10.1f %9.1f", error / 1e3, \
		       (all[tid, "rq"] - kernel[tid, "rq"]) / 1e3, bound[tid] / 1e3
		for (i = 1; i <= nparts; i++)
			compare(tid, part[i])
		print ""
	}
	printf "windows: exact %d, repaired %d\n", quality["exact"], quality["repaired"]
	printf "figures: %d within %d %%; of the others the kernel's counters say the same as here of %d, " \
	       "and something else of %d; %d are of threads with more than %d switches a second\n", within,
	       percent, decided, beyond, fast, rate_max
	for (i = 1; i <= beyond; i++)
		fail(noted[i])
	if (!threads)
		fail("no thread to compare with")
}
