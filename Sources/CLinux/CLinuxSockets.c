// SPDX-License-Identifier: Apache-2.0

// setns, CLONE_NEWNET.
#define _GNU_SOURCE

#include "CLinux.h"

#include <endian.h>
#include <linux/close_range.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <sched.h>
#include <stdlib.h>

int cl_enter_network(int network) {
  int own = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  if (own < 0) return -errno;
  if (setns(network, CLONE_NEWNET) == 0) return own;
  int result = -errno;
  close(own);
  return result;
}

void cl_leave_network(int own) {
  // Nobody may go on in a network that is not this program's.
  if (setns(own, CLONE_NEWNET) < 0) abort();
  close(own);
}

int cl_own_descriptors(void) { return close_range(3, ~0U, CLOSE_RANGE_UNSHARE) < 0 ? -errno : 0; }

int cl_netlink_open(int network, int protocol) {
  int own = network < 0 ? -1 : cl_enter_network(network);
  if (network >= 0 && own < 0) return own;
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
  int result = fd < 0 ? -errno : fd;
  if (own >= 0) cl_leave_network(own);
  return result;
}

int cl_tcp_sockets_open(int network) {
  int fd = cl_netlink_open(network, NETLINK_SOCK_DIAG);
  if (fd < 0) return fd;
  // The kernel answers at once; this is for a module that it has to load first.
  struct timeval patience = {.tv_sec = 1};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  return fd;
}

static int ask(int fd, int family, uint16_t local_port, uint32_t states) {
  struct {
    struct nlmsghdr header;
    struct inet_diag_req_v2 request;
  } message = {
      .header = {sizeof message, SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP, 0, 0},
      .request = {.sdiag_family = (uint8_t)family, .sdiag_protocol = IPPROTO_TCP, .idiag_states = states, .id.idiag_sport = htons(local_port)}};
  struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
  ssize_t sent = sendto(fd, &message, sizeof message, 0, (struct sockaddr *)&kernel, sizeof kernel);
  return sent < 0 ? -errno : 0;
}

int cl_tcp_sockets_ask(int fd, int family, uint16_t local_port) {
  // A connection that is not established yet has a state of its own inside the kernel.
  const uint32_t half_open = 12;
  return ask(fd, family, local_port,
             1u << TCP_ESTABLISHED | 1u << TCP_SYN_RECV | 1u << half_open | 1u << TCP_FIN_WAIT1 | 1u << TCP_FIN_WAIT2 |
                 1u << TCP_CLOSE_WAIT | 1u << TCP_CLOSING | 1u << TCP_LAST_ACK);
}

int cl_tcp_listeners_ask(int fd, int family) { return ask(fd, family, 0, 1u << TCP_LISTEN); }

static void address(int family, const uint32_t *words, uint64_t *high, uint64_t *low) {
  if (family == AF_INET) {
    *high = 0;
    *low = 0xffff00000000u | ntohl(words[0]);
    return;
  }
  *high = (uint64_t)ntohl(words[0]) << 32 | ntohl(words[1]);
  *low = (uint64_t)ntohl(words[2]) << 32 | ntohl(words[3]);
}

static void describe(const struct inet_diag_msg *found, struct cl_tcp_socket *socket) {
  address(found->idiag_family, found->id.idiag_src, &socket->local_high, &socket->local_low);
  address(found->idiag_family, found->id.idiag_dst, &socket->peer_high, &socket->peer_low);
  socket->inode = found->idiag_inode;
  socket->unacknowledged = found->idiag_wqueue;
  socket->local_port = ntohs(found->id.idiag_sport);
  socket->state = found->idiag_state;
}

static int outcome(const struct nlmsghdr *header) {
  if (header->nlmsg_type == NLMSG_DONE) return header->nlmsg_len >= NLMSG_LENGTH(sizeof(int)) ? *(int *)NLMSG_DATA(header) : 0;
  return ((struct nlmsgerr *)NLMSG_DATA(header))->error ?: -EPROTO;
}

int cl_tcp_sockets_next(int fd, struct cl_tcp_socket *sockets, int *is_last) {
  // The kernel fills packets of at most 32 KiB.
  _Alignas(struct nlmsghdr) char packet[32768];
  ssize_t length;
  do length = recv(fd, packet, sizeof packet, MSG_TRUNC);
  while (length < 0 && errno == EINTR);
  if (length < 0) return -errno;
  if ((size_t)length > sizeof packet) return -EMSGSIZE;
  int count = 0;
  *is_last = 0;
  for (struct nlmsghdr *header = (struct nlmsghdr *)packet; NLMSG_OK(header, (size_t)length);
       header = NLMSG_NEXT(header, length)) {
    if (header->nlmsg_type == NLMSG_DONE || header->nlmsg_type == NLMSG_ERROR) {
      int result = outcome(header);
      *is_last = 1;
      return result < 0 ? result : count;
    }
    if (header->nlmsg_len < NLMSG_LENGTH(sizeof(struct inet_diag_msg)) || count == CL_TCP_SOCKETS_PER_PACKET) return -EPROTO;
    describe(NLMSG_DATA(header), &sockets[count++]);
  }
  return count;
}
