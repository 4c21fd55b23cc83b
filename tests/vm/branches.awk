# SPDX-License-Identifier: GPL-2.0-or-later
# Which branch of --probe was reached on which kernel. Input: the branches, lines of "CAPABILITY
# STATE PATTERN" (of the detail), then reports. A branch that was not reached is a failure when
# strict, the number of kernels that ran, is not 0.

FNR == 1 {
	file++
	kernel = FILENAME
	sub(/\/.*$/, "", kernel)
}

file == 1 && !/^#/ && NF {
	capability[++n] = $1
	state[n] = $2
	pattern[n] = $0
	sub(/^[^ ]+ +[^ ]+ +/, "", pattern[n])
}

file > 1 && /^[a-z-]+ +(yes|partly|no) / {
	detail = $0
	sub(/^[^ ]+ +[^ ]+ +/, "", detail)
	found = 0
	for (i = 1; i <= n; i++) {
		if ($1 != capability[i] || $2 != state[i] || detail !~ "^(" pattern[i] ")$")
			continue
		found = 1
		if (!((i, kernel) in reached)) {
			reached[i, kernel] = 1
			where[i] = where[i] " " kernel
		}
	}
	if (!found) {
		print "FAIL: no branch for: " kernel ": " $0
		failures++
	}
}

END {
	print "branches of --probe, and where they were reached"
	for (i = 1; i <= n; i++) {
		printf "%-15s %-6s %-46s%s\n", capability[i], state[i], pattern[i],
		       where[i] ? where[i] : " NOWHERE"
		failures += !where[i] && strict
	}
	exit failures > 0
}
