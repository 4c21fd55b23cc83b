/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Until a signal ends it,
 *   bpfhold empty TRACEPOINT...  a program that does nothing is attached to each: what that costs, no
 *                                program there can be cheaper than
 *   bpfhold stats                the kernel times all programs, as bpftool prog shows it
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int attach(const char *tracepoint)
{
	static const struct bpf_insn nothing[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_RAW_TP);
	int id = libbpf_find_vmlinux_btf_id(tracepoint, BPF_TRACE_RAW_TP), prog;

	if (id < 0)
		return id;
	opts.attach_btf_id = (__u32)id;
	prog = bpf_prog_load(BPF_PROG_TYPE_TRACING, "empty", "GPL", nothing, 2, &opts);
	return prog < 0 ? prog : bpf_raw_tracepoint_open(NULL, prog);
}

int main(int argc, char **argv)
{
	bool empty = argc > 1 && !strcmp(argv[1], "empty");

	if (!empty && (argc != 2 || strcmp(argv[1], "stats"))) {
		fputs("Usage: bpfhold empty TRACEPOINT... | stats\n", stderr);
		return 2;
	}
	if (!empty && bpf_enable_stats(BPF_STATS_RUN_TIME) < 0) {
		perror("bpf_enable_stats");
		return EXIT_FAILURE;
	}
	for (int i = 2; i < argc; i++) {
		if (attach(argv[i]) < 0) {
			perror(argv[i]);
			return EXIT_FAILURE;
		}
	}
	pause();
	return EXIT_SUCCESS;
}
