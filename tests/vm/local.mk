# SPDX-License-Identifier: GPL-2.0-or-later
# The live tests on other kernels, under emulation: make check-vm.
check_PROGRAMS += tests/vm/taskstats-reply
tests_vm_taskstats_reply_SOURCES = tests/vm/taskstats-reply.c
tests_vm_taskstats_reply_LDADD = $(NL_LIBS)

# As it is where clang, bpftool or libbpf is missing: nobpf.c comes before the library's bpf.c.
check_PROGRAMS += tests/vm/schedsampler-nobpf
tests_vm_schedsampler_nobpf_SOURCES = src/main.c src/source/nobpf.c
tests_vm_schedsampler_nobpf_LDADD = $(schedsampler_LDADD)

EXTRA_DIST += \
	tests/vm/README.md \
	tests/vm/branches \
	tests/vm/branches.awk \
	tests/vm/fetch \
	tests/vm/guest \
	tests/vm/init \
	tests/vm/initramfs \
	tests/vm/kernels \
	tests/vm/run \
	tests/vm/table.awk

.PHONY: check-vm
check-vm: schedsampler $(check_PROGRAMS)
	builddir='$(abs_top_builddir)' $(srcdir)/tests/vm/run $(KERNELS)

clean-local:
	rm -rf tests/vm/results
