#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
. "$(dirname "$0")/lib.sh"
need_bpf bpf-snapshot
# What the verifier refuses would be replaced by the slower one, unseen.
! kernel_since 6 7 || "$SCHEDSAMPLER" --probe | grep -q '^bpf-snapshot *yes *a program with the task iterator' ||
	die "the program with the task iterator is not taken"
live_truth bpf-snapshot "$kinds_steady"
sampled_waits
live_truth bpf-snapshot "$kinds_busy"
sampled_waits
