# SPDX-License-Identifier: GPL-2.0-or-later
# Programs in the kernel: compiled once for all kernels, embedded into the program as a header.
EXTRA_DIST += \
	bpf/README.md \
	bpf/cause.bpf.h \
	bpf/cause.h \
	bpf/core_compat.bpf.h \
	bpf/ledger.bpf.c \
	bpf/ledger.h \
	bpf/vmlinux.h \
	bpf/wire.h

if HAVE_BPF
BPF_CFLAGS = -target bpf -mcpu=v3 -D__TARGET_ARCH_x86 -O2 -g -Wall -Wextra -Wno-unused-parameter \
	-Wno-missing-field-initializers
BUILT_SOURCES += bpf/ledger.skel.h
CLEANFILES += bpf/ledger.skel.h bpf/ledger.bpf.o

bpf/ledger.bpf.o: bpf/ledger.bpf.c bpf/cause.bpf.h bpf/cause.h bpf/core_compat.bpf.h bpf/ledger.h \
		bpf/vmlinux.h bpf/wire.h
	$(AM_V_GEN)$(MKDIR_P) bpf && \
	$(CLANG) $(BPF_CFLAGS) $(LIBBPF_CFLAGS) -I$(top_srcdir)/bpf \
		-c $(top_srcdir)/bpf/ledger.bpf.c -o $@ && $(LLVM_STRIP) -g $@

bpf/ledger.skel.h: bpf/ledger.bpf.o
	$(AM_V_GEN)$(BPFTOOL) gen skeleton bpf/ledger.bpf.o name ledger_bpf >$@.tmp && mv $@.tmp $@

src/source/bpf.$(OBJEXT): bpf/ledger.skel.h
endif
