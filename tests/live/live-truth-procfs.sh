#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
. "$(dirname "$0")/lib.sh"
live_truth procfs "$kinds_steady"
sampled_waits
live_truth procfs "$kinds_busy"
sampled_waits
