#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
. "$(dirname "$0")/lib.sh"
live_truth procfs "$kinds_steady"
live_truth procfs "$kinds_busy"
