#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
. "$(dirname "$0")/lib.sh"
need_taskstats
live_truth taskstats "$kinds_steady"
live_truth taskstats "$kinds_busy"
