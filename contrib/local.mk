# SPDX-License-Identifier: GPL-2.0-or-later
bashcompletiondir = $(datadir)/bash-completion/completions
dist_bashcompletion_DATA = contrib/completions/schedsampler

EXTRA_DIST += \
	contrib/capture \
	contrib/install-deps \
	contrib/quickcheck \
	contrib/quickstart
