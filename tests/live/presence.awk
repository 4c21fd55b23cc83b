# SPDX-License-Identifier: GPL-2.0-or-later
# Every thread has a row in every tick of its life, and its windows join without a gap.
# Input: the ticks, then the samples. Variables: tids, numbers that must be there from first to
# last; slew_ns, by what two windows of a ledger may miss each other; made, how many short-lived
# threads the process says it made (optional).

FNR == 1 {
	file++
	csv_columns(csv_fields())
	next
}

{
	csv_fields()
}

file == 1 {
	t = F[column["tick"]] + 0
	if (ticks++ && t <= last_tick)
		fail("tick " t " after " last_tick)
	next_tick[last_tick] = t
	if (ticks == 1) {
		first_tick = t
		opened = F[column["actual_ns"]] + F[column["read_ns"]]
	} else if (!found_tick && F[column["scheduled_ns"]] + 0 > opened) {
		found_tick = t
	}
	last_tick = t
	lost_batches += F[column["lost_batches"]]
	lost_ticks += F[column["lost_ticks"]]
	lost += F[column["lost_events"]] + F[column["lost_replies"]] + F[column["lost_reads"]] + \
		F[column["lost_threads"]] + F[column["unseen_max"]]
	if (F[column["unseen_max"]] != "")
		scanned = 1
	next
}

{
	tid = F[column["tid"]]
	t = F[column["tick"]] + 0
	event = F[column["event"]]
	end = F[column["mono_ns"]] + 0
	begin = end - F[column["wall_ns"]]
	if (!(tid in alive)) {
		lives++
		if (event ~ /^start/)
			starts++
		# What the first tick opens, a ledger has found when the reading was over; meanwhile other
		# ticks can have ended, and been missed.
		else if (t > first_tick + 1 && t > next_tick[first_tick] && t > found_tick)
			fail("tid " tid " appears at tick " t " without a start")
		started[tid] = event ~ /^start/
	} else {
		if (event ~ /^start/)
			fail("tid " tid " starts twice, at tick " t)
		# A ledger has the windows of ticks that were missed, too.
		if (t != next_tick[alive[tid]] && t != alive[tid] + 1)
			fail("tid " tid " has no row between ticks " alive[tid] " and " t)
		# An awk number holds mono_ns to the nanosecond up to 104 days of uptime only. A
		# ledger's windows are as long as the scheduler's clock says: where CLOCK_MONOTONIC
		# is slewed, that is some microseconds more or less now and then.
		slack = F[column["quality"]] ~ /^(exact|repaired)$/ ? slew_ns : 64
		if (begin - ended[tid] > slack || ended[tid] - begin > slack)
			fail("tid " tid " tick " t ": window begins " begin - ended[tid] \
			     " ns after the last one")
	}
	if (end < begin)
		fail("tid " tid " tick " t ": negative window")
	alive[tid] = t
	ended[tid] = end
	if (event ~ /exit$/) {
		exits++
		complete += started[tid]
		delete alive[tid]
		delete ended[tid]
	}
}

END {
	for (tid in alive) {
		if (alive[tid] != last_tick)
			fail("tid " tid " has no row after tick " alive[tid] " of " last_tick)
	}
	n = split(tids, expected, " ")
	for (i = 1; i <= n; i++) {
		if (!(expected[i] in alive))
			fail("tid " expected[i] " is not there at the end")
	}
	if (lost_batches)
		fail(lost_batches " ticks were lost on the way to the file")
	printf "presence: %d threads, %d starts, %d exits, %d ticks (%d missed)\n",
	       lives, starts, exits, ticks, lost_ticks
	if (made != "") {
		printf "churn: %d of %d short-lived threads have both start and exit; " \
		       "losses counted: %d%s\n", complete, made, lost,
		       scanned ? " (scan: at most that many)" : ""
		if (complete > made)
			fail(complete " short-lived threads, but only " made " were made")
		if (made - complete > lost)
			fail(made - complete " threads are neither there nor counted as lost")
		if (!scanned && complete < 0.99 * made)
			fail("less than 99 % were seen although all creations are told")
	}
}
