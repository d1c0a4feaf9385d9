// SPDX-License-Identifier: Apache-2.0
//
// The Linux calls that Swift's Glibc overlay does not show or that need casts between socket address types.
// Every function returns a negative errno instead of setting errno.

#ifndef CLINUX_H
#define CLINUX_H

#include "CLinuxPipe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "CLinuxPeers.h"
#include "CLinuxSockets.h"

// The kernel's SCM_MAX_FD.
#define CL_FDS_PER_PACKET 253

// Bits of struct epoll_event.events; EPOLLET is beyond an int, so Swift does not see it as a number.
static const uint32_t CL_IN = EPOLLIN | EPOLLPRI | EPOLLRDHUP;
static const uint32_t CL_OUT = EPOLLOUT;
static const uint32_t CL_READ = EPOLLIN;
static const uint32_t CL_URGENT = EPOLLPRI;
static const uint32_t CL_READ_HANGUP = EPOLLRDHUP;
static const uint32_t CL_HANGUP = EPOLLHUP;
static const uint32_t CL_ERROR = EPOLLERR;
static const uint32_t CL_EDGE = EPOLLET;
static const uint32_t CL_EXCLUSIVE = EPOLLEXCLUSIVE;

static inline uint64_t cl_monotonic_nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

// Gives unused memory back to the system. The allocator keeps what a burst of work took, in an arena for each thread.
static inline void cl_release_memory(void) { malloc_trim(0); }

// 1 for a folder or file whose bytes are in memory only, 0 for any other.
int cl_is_in_memory(const char *path);

static inline int cl_epoll_create(void) {
  int fd = epoll_create1(EPOLL_CLOEXEC);
  return fd < 0 ? -errno : fd;
}

static inline int cl_epoll_add(int epoll, int fd, uint32_t events, uint64_t token) {
  struct epoll_event event = {.events = events, .data.u64 = token};
  return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static inline int cl_epoll_modify(int epoll, int fd, uint32_t events, uint64_t token) {
  struct epoll_event event = {.events = events, .data.u64 = token};
  return epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event) < 0 ? -errno : 0;
}

static inline int cl_epoll_remove(int epoll, int fd) { return epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL) < 0 ? -errno : 0; }

static inline int cl_epoll_wait(int epoll, struct epoll_event *events, int capacity, int milliseconds) {
  int count = epoll_wait(epoll, events, capacity, milliseconds);
  return count < 0 ? (errno == EINTR ? 0 : -errno) : count;
}

// The mark of packets sent from a source that is not this host's, by which their replies find back. See Netfilter's rules.
#define CL_KEPT_SOURCE_MARK 0x04000000
// The mark of those replies, which makes them this host's own.
#define CL_KEPT_SOURCE_REPLY_MARK 0x01000000

// Makes a socket connect from an address that belongs to somebody else. Returns 0 or a negative errno.
int cl_keep_source(int fd, uint32_t source);

// Starts a connection to an IPv4 address given in host order; the caller waits for EPOLLOUT. It comes from `source`, whoever
// that is, or from this host's own address where `source` is 0 or cannot be had.
static inline int cl_connect(uint32_t address, uint16_t port, uint32_t source) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
  if (fd < 0) return -errno;
  if (source) cl_keep_source(fd, source);
  struct sockaddr_in peer = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(address)};
  if (connect(fd, (struct sockaddr *)&peer, sizeof peer) < 0 && errno != EINPROGRESS) {
    int result = -errno;
    close(fd);
    return result;
  }
  return fd;
}

// Turns Nagle's algorithm off.
static inline void cl_send_promptly(int fd) {
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

// The way of a datagram: who sent it from where, and to which of our addresses. Addresses as by `cl_accept`.
struct cl_flow {
  uint64_t client_high, client_low;
  uint64_t local_high, local_low;
  uint32_t interface;
  uint16_t port;
};

// A UDP socket on [::] that takes IPv4 too, or on 0.0.0.0 where the host has no IPv6.
int cl_bind_datagram(uint16_t port);
int cl_is_bound_datagram(int fd);
// Never block. The answer of a flow goes back the way it came: from the address that its client knows.
ssize_t cl_receive_from(int fd, void *bytes, size_t capacity, struct cl_flow *flow);
ssize_t cl_send_to(int fd, const void *bytes, size_t count, const struct cl_flow *flow);
// As `cl_connect`: datagrams go to and come from that address alone.
int cl_connect_datagram(uint32_t address, uint16_t port, uint32_t source);

// Closes so that the peer sees a reset (RST) and not an orderly end (FIN).
static inline void cl_reset(int fd) {
  struct linger now = {.l_onoff = 1, .l_linger = 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close(fd);
}

static inline ssize_t cl_read(int fd, void *bytes, size_t count) {
  ssize_t result = recv(fd, bytes, count, 0);
  return result < 0 ? -errno : result;
}

static inline ssize_t cl_write(int fd, const void *bytes, size_t count) {
  ssize_t result = send(fd, bytes, count, MSG_NOSIGNAL);
  return result < 0 ? -errno : result;
}

static inline int cl_eventfd(void) {
  int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  return fd < 0 ? -errno : fd;
}

// Address space for a table that grows in place: pages cost memory only once they are touched. NULL on failure.
static inline void *cl_reserve(size_t bytes) {
  void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return memory == MAP_FAILED ? NULL : memory;
}

// Accepts one connection without blocking. The address comes as two halves of 128 bits, IPv4 as ::ffff:a.b.c.d.
int cl_accept(int listener, uint64_t *high, uint64_t *low);
int cl_accept_control(int listener);
// Two connected sockets for packets, which do not block.
int cl_packet_pair(int *both);
int cl_unix_listen(const char *path);
// Sending blocks, for 5 s at most.
int cl_unix_connect(const char *path);
int cl_peer(int fd, uint32_t *uid, int32_t *pid);
// At most CL_FDS_PER_PACKET descriptors travel with one packet.
ssize_t cl_send_packet(int fd, const void *bytes, size_t count, const int32_t *fds, int32_t fd_count);
// Never blocks.
ssize_t cl_receive_packet(int fd, void *bytes, size_t capacity, int32_t *fds, int32_t *fd_count);
// A TCP listening socket on [::] that takes IPv4 too, or on 0.0.0.0 where the host has no IPv6.
int cl_listen(uint16_t port, int backlog);
int cl_local_port(int fd);
int cl_is_listening(int fd);
// Blocks SIGTERM, SIGINT and SIGHUP for the process and returns a descriptor that becomes readable when one arrives.
int cl_control_signals(void);
// The next signal of that descriptor, or 0. Never blocks.
int cl_next_signal(int fd);
void cl_ignore_sigpipe(void);
int64_t cl_raise_descriptor_limit(void);
// The processors that this process may run on.
int cl_processors(void);
// An exclusive lock on a file, held until the descriptor is closed; -EWOULDBLOCK when another process has it.
int cl_lock(const char *path);
// A descriptor that becomes readable when addresses or rules of this network namespace change; `nftables` chooses between
// the packet filter's rules and the host's addresses and policy rules.
int cl_netlink_watch(int nftables);
// Reads all that waits. False when there was nothing.
int cl_netlink_drain(int fd);
// Gives the calling thread a network namespace of its own.
int cl_unshare_network(void);
// Starts a program in a session of its own with no descriptor of ours but the log. It is not told of our service manager.
int cl_spawn_detached(const char *path, char *const *arguments, int log_fd);
// Puts a program in this process's place; a copy of the process goes on, with all descriptors and the calling thread, and gets 0.
// The other threads must stand still where they hold no lock; the copy has their memory and may start them anew.
int cl_hand_over(const char *path, char *const *arguments);
// One datagram to a unix socket; a path that begins with @ is an abstract name.
int cl_send_datagram(const char *path, const char *text);

#endif
