// SPDX-License-Identifier: Apache-2.0

// unshare
#define _GNU_SOURCE

#include "CLinuxPeers.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static int know(int fd, struct tcp_info *info) {
  socklen_t length = sizeof *info;
  return getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, &length) == 0;
}

int cl_is_connecting(int fd) {
  struct tcp_info info;
  return know(fd, &info) && info.tcpi_state == TCP_SYN_SENT;
}

int cl_queue_length(int fd) {
  struct tcp_info info;
  // Of a listening socket these fields mean something else: the length of its queue, and the limit of that.
  return know(fd, &info) && info.tcpi_state == TCP_LISTEN ? (int)info.tcpi_unacked : 0;
}

void cl_keep_alive(int fd) {
  int on = 1, idle = 300, interval = 30, probes = 5;
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
}

int64_t cl_unheard_milliseconds(int fd) {
  struct tcp_info info;
  int waiting = 0;
  if (ioctl(fd, SIOCOUTQ, &waiting) < 0 || waiting == 0 || !know(fd, &info)) return 0;
  return info.tcpi_last_ack_recv;
}

int cl_drop_packets(int fd) {
  struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
  struct sock_fprog program = {.len = 1, .filter = &nothing};
  return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) < 0 ? -errno : 0;
}

int cl_own_loopback(void) {
  if (unshare(CLONE_NEWNET) < 0) return -errno;
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  struct ifreq loopback = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
  int result = ioctl(fd, SIOCSIFFLAGS, &loopback) < 0 ? -errno : 0;
  close(fd);
  return result;
}
