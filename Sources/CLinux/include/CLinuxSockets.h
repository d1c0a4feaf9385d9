// SPDX-License-Identifier: Apache-2.0
//
// TCP sockets of a network namespace, asked of the kernel by netlink (sock_diag). Included by CLinux.h.

#ifndef CLINUX_SOCKETS_H
#define CLINUX_SOCKETS_H

#include <stddef.h>
#include <stdint.h>

// One socket. Addresses are two halves of 128 bits, IPv4 as ::ffff:a.b.c.d.
struct cl_tcp_socket {
  uint64_t local_high, local_low, peer_high, peer_low;
  // 0 for a socket that belongs to no file: not accepted yet, or closed by its owner.
  uint32_t inode;
  // Sequence numbers that the peer has not acknowledged: bytes, and one for an end that was sent.
  uint32_t unacknowledged;
  uint16_t local_port;
  // As the kernel's TCP_ESTABLISHED and so on.
  uint8_t state;
};

// More than one packet of an answer can hold.
#define CL_TCP_SOCKETS_PER_PACKET 512

// Puts the calling thread into a network namespace; the result brings it back, by `cl_leave_network`, before anything else is done on
// the thread.
int cl_enter_network(int network);
void cl_leave_network(int own);

// Gives the calling thread a table of descriptors of its own with nothing but the first three.
int cl_own_descriptors(void);

// A netlink socket of the given network namespace (a descriptor of it), whoever uses it later; of the calling thread's with -1. The
// calling thread is in that namespace for a moment.
int cl_netlink_open(int network, int protocol);

// A descriptor that asks about the given network namespace, whoever uses it later. The calling thread is in that namespace for a
// moment.
int cl_tcp_sockets_open(int network);
// Asks for the sockets of an address family with that local port, in all states but listening and TIME_WAIT.
int cl_tcp_sockets_ask(int fd, int family, uint16_t local_port);
// Asks for all listening sockets of an address family; answered in the same way.
int cl_tcp_listeners_ask(int fd, int family);
// The next part of the answer: how many. `sockets` has room for CL_TCP_SOCKETS_PER_PACKET. After a failure the descriptor is of no
// use any more.
int cl_tcp_sockets_next(int fd, struct cl_tcp_socket *sockets, int *is_last);

#endif
