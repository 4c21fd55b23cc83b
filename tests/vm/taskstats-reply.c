/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * taskstats-reply TID: the kernel's answer for that thread, as it came, to standard output. For
 * tests that read the answers of kernels which are not at hand.
 */
#include <linux/taskstats.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct nl_sock *sock = nl_socket_alloc();
	struct sockaddr_nl from;
	unsigned char *reply = NULL;
	struct nl_msg *msg;
	int family, n;

	if (argc != 2) {
		fputs("Usage: taskstats-reply TID\n", stderr);
		return 2;
	}
	if (!sock || genl_connect(sock))
		return EXIT_FAILURE;
	family = genl_ctrl_resolve(sock, TASKSTATS_GENL_NAME);
	msg = nlmsg_alloc();
	if (family < 0 || !msg ||
	    !genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, family, 0, 0, TASKSTATS_CMD_GET,
			 TASKSTATS_GENL_VERSION) ||
	    nla_put_u32(msg, TASKSTATS_CMD_ATTR_PID, (uint32_t)atol(argv[1]))) {
		fputs("taskstats-reply: no taskstats here\n", stderr);
		return EXIT_FAILURE;
	}
	nl_socket_disable_auto_ack(sock);
	if (nl_send_auto(sock, msg) < 0)
		return EXIT_FAILURE;
	n = nl_recv(sock, &from, &reply, NULL);
	if (n <= 0 || write(STDOUT_FILENO, reply, (size_t)n) != n)
		return EXIT_FAILURE;
	free(reply);
	nlmsg_free(msg);
	nl_socket_free(sock);
	return EXIT_SUCCESS;
}
