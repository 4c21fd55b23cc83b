#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Threads that fall asleep while others want their CPU: since 6.12 some are moved to another one's
# runqueue asleep, and the kernel counts what they sleep from then on as waiting for a CPU.
. "$(dirname "$0")/lib.sh"
kinds=spin=3,nap=12
live_truth procfs "$kinds"
need_taskstats
live_truth taskstats "$kinds"
