#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
. "$(dirname "$0")/lib.sh"
need_bpf
live_truth bpf "$kinds_steady"
live_truth bpf "$kinds_busy"
