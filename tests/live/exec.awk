# SPDX-License-Identifier: GPL-2.0-or-later
# Threads that took over the number of their process, as they executed a program.
# Input: the instants before and after each, then the samples. Variables: pid; slew_ns, by which a
# ledger's instants may be off.

FNR == 1 {
	file++
}

file == 1 {
	if ($1 == "before")
		before[++takeovers] = $2 + 0
	else if (takeovers)
		after[takeovers] = $2 + 0
	next
}

FNR == 1 {
	csv_columns(csv_fields())
	next
}

{
	csv_fields()
	tid = F[column["tid"]]
	end = F[column["mono_ns"]] + 0
	begin = end - F[column["wall_ns"]]
	event = F[column["event"]]
	exact = F[column["quality"]] ~ /^(exact|repaired)$/
	if (tid in ended && tid != pid)
		fail("tid " tid " has a row after its end")
	if (F[column["run_ns"]] + 0 > F[column["wall_ns"]] + 0)
		fail("tid " tid " ran for " F[column["run_ns"]] " of " F[column["wall_ns"]] " ns")
	if (exact && tid == pid && event ~ /^start/ && among(begin))
		begun++
	if (event !~ /exit$/)
		next
	ended[tid] = 1
	exits[tid]++
	if (tid != pid) {
		others++
		if (exact && among(end))
			exactly++
	}
	ledger = ledger || exact
}

# Whether a number changed its thread at that instant.
function among(ns,	i) {
	for (i = 1; i <= takeovers; i++)
		if (ns >= before[i] - slew_ns && ns <= after[i] + slew_ns)
			return 1
	return 0
}

END {
	printf "%d takeovers, %d accounts of the process's number, %d of others\n", takeovers,
	       exits[pid], others
	if (!takeovers || exits[pid] != takeovers + 1)
		fail("not one account more than takeovers")
	if (others != takeovers + 1)
		fail("not one other thread more than takeovers")
	if (ledger && (begun != takeovers || exactly != takeovers))
		fail(begun " accounts begin and " exactly " end at a takeover")
}
