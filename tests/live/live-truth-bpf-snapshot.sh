#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
. "$(dirname "$0")/lib.sh"
need_bpf bpf-snapshot
live_truth bpf-snapshot "$kinds_steady"
sampled_waits
live_truth bpf-snapshot "$kinds_busy"
sampled_waits
