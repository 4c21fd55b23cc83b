# SPDX-License-Identifier: GPL-2.0-or-later
# RFC 4180 and the report of the workload for the checks, and how they fail. Name this file last: its
# END is the last.

# The fields of the current record into F[1...]; a quoted field may go over several lines. They
# can be strings to awk: add 0 before comparing numbers.
# Returns how many.
function csv_fields(    line, more, n, i, c, quoted) {
	if (!index($0, "\""))
		return split($0, F, ",")
	line = $0
	n = 1
	F[1] = ""
	for (i = 1; ; i++) {
		if (i > length(line)) {
			if (!quoted || (getline more) <= 0)
				break
			line = line "\n" more
		}
		c = substr(line, i, 1)
		if (c == "\"") {
			if (quoted && substr(line, i + 1, 1) == "\"")
				F[n] = F[n] substr(line, i++, 1)
			else
				quoted = !quoted
		} else if (c == "," && !quoted) {
			F[++n] = ""
		} else {
			F[n] = F[n] c
		}
	}
	if (quoted)
		fail("the last quoted field has no end")
	return n
}

# Which column has that name, in the header that csv_fields() read last.
function csv_columns(n,    i) {
	split("", column)
	for (i = 1; i <= n; i++)
		column[F[i]] = i
}

# What a line of the workload's report says of a thread: NAME=VALUE, into value.
function report_values(    i) {
	split("", value)
	for (i = 2; i <= NF; i++)
		value[substr($i, 1, index($i, "=") - 1)] = substr($i, index($i, "=") + 1)
}

BEGIN {
	CONVFMT = "%.17g"	# some awks have integers of 32 bits besides their numbers
}

function fail(text) {
	if (++failures <= 10)
		print "FAIL: " FILENAME ":" FNR ": " text
}

END {
	if (failures > 10)
		print "FAIL: " failures " in all"
	exit failures > 0
}
