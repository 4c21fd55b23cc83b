#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
. "$(dirname "$0")/lib.sh"
need_taskstats
live_truth taskstats "$kinds_steady"
sampled_waits
live_truth taskstats "$kinds_busy"
sampled_waits
