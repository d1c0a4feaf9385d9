// SPDX-License-Identifier: Apache-2.0

// accept4, struct ucred. Not in the header: it would give Swift a second idea of glibc's types.
#define _GNU_SOURCE

#include "CLinux.h"

#include <endian.h>
#include <linux/magic.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/un.h>
#include <sys/vfs.h>

extern char **environ;

int cl_is_in_memory(const char *path) {
  struct statfs status;
  if (statfs(path, &status) < 0) return -errno;
  return status.f_type == TMPFS_MAGIC || status.f_type == RAMFS_MAGIC;
}

int cl_accept(int listener, uint64_t *high, uint64_t *low) {
  struct sockaddr_storage peer;
  socklen_t length = sizeof peer;
  int fd = accept4(listener, (struct sockaddr *)&peer, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) return -errno;
  if (peer.ss_family == AF_INET6) {
    uint64_t halves[2];
    memcpy(halves, &((struct sockaddr_in6 *)&peer)->sin6_addr, 16);
    *high = be64toh(halves[0]);
    *low = be64toh(halves[1]);
  } else {
    *high = 0;
    *low = 0xffff00000000u | ntohl(((struct sockaddr_in *)&peer)->sin_addr.s_addr);
  }
  return fd;
}

int cl_keep_source(int fd, uint32_t source) {
  int on = 1, mark = CL_KEPT_SOURCE_MARK;
  struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(source)};
  // The port is chosen by connect, when the kernel knows the peer: else one port would serve one endpoint only.
  if (setsockopt(fd, IPPROTO_IP, IP_TRANSPARENT, &on, sizeof on) < 0 ||
      setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof mark) < 0 ||
      setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on) < 0 ||
      bind(fd, (struct sockaddr *)&own, sizeof own) < 0) {
    return -errno;
  }
  return 0;
}

static int bind_datagram(int family, uint16_t port) {
  int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_UDP);
  if (fd < 0) return -errno;
  int on = 1, off = 0, buffer = 1 << 20;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer);
  struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = IN6ADDR_ANY_INIT};
  struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
  int failed = family == AF_INET6 ? setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) < 0 ||
                                        setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on) < 0 ||
                                        bind(fd, (struct sockaddr *)&v6, sizeof v6) < 0
                                  : setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on) < 0 ||
                                        bind(fd, (struct sockaddr *)&v4, sizeof v4) < 0;
  if (!failed) return fd;
  int result = -errno;
  close(fd);
  return result;
}

int cl_bind_datagram(uint16_t port) {
  int fd = bind_datagram(AF_INET6, port);
  if (fd == -EAFNOSUPPORT || fd == -EADDRNOTAVAIL || fd == -ENOPROTOOPT) fd = bind_datagram(AF_INET, port);
  return fd;
}

int cl_is_bound_datagram(int fd) {
  int type = 0;
  socklen_t length = sizeof type;
  return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_DGRAM && cl_local_port(fd) > 0;
}

static void halves(const struct in6_addr *address, uint64_t *high, uint64_t *low) {
  uint64_t parts[2];
  memcpy(parts, address, 16);
  *high = be64toh(parts[0]);
  *low = be64toh(parts[1]);
}

static struct in6_addr joined(uint64_t high, uint64_t low) {
  uint64_t parts[2] = {htobe64(high), htobe64(low)};
  struct in6_addr address;
  memcpy(&address, parts, 16);
  return address;
}

static const uint64_t mapped_ipv4 = 0xffff00000000u;

ssize_t cl_receive_from(int fd, void *bytes, size_t capacity, struct cl_flow *flow) {
  struct iovec part = {.iov_base = bytes, .iov_len = capacity};
  struct sockaddr_storage peer;
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(struct in_pktinfo))];
  } control;
  struct msghdr message = {.msg_name = &peer, .msg_namelen = sizeof peer, .msg_iov = &part, .msg_iovlen = 1,
                           .msg_control = control.space, .msg_controllen = sizeof control.space};
  ssize_t result = recvmsg(fd, &message, MSG_DONTWAIT);
  if (result < 0) return -errno;
  memset(flow, 0, sizeof *flow);
  if (peer.ss_family == AF_INET6) {
    halves(&((struct sockaddr_in6 *)&peer)->sin6_addr, &flow->client_high, &flow->client_low);
    flow->port = ntohs(((struct sockaddr_in6 *)&peer)->sin6_port);
  } else {
    flow->client_low = mapped_ipv4 | ntohl(((struct sockaddr_in *)&peer)->sin_addr.s_addr);
    flow->port = ntohs(((struct sockaddr_in *)&peer)->sin_port);
  }
  for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level == IPPROTO_IPV6 && header->cmsg_type == IPV6_PKTINFO) {
      struct in6_pktinfo info;
      memcpy(&info, CMSG_DATA(header), sizeof info);
      halves(&info.ipi6_addr, &flow->local_high, &flow->local_low);
      // Needed for addresses that mean something on one interface only; else the route may change.
      if (IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr)) flow->interface = info.ipi6_ifindex;
    } else if (header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_PKTINFO) {
      struct in_pktinfo info;
      memcpy(&info, CMSG_DATA(header), sizeof info);
      flow->local_low = mapped_ipv4 | ntohl(info.ipi_addr.s_addr);
    }
  }
  return result;
}

static int family_of(int fd) {
  int family = AF_INET6;
  socklen_t length = sizeof family;
  getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &length);
  return family;
}

ssize_t cl_send_to(int fd, const void *bytes, size_t count, const struct cl_flow *flow) {
  struct iovec part = {.iov_base = (void *)bytes, .iov_len = count};
  struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(flow->port), .sin6_scope_id = flow->interface,
                            .sin6_addr = joined(flow->client_high, flow->client_low)};
  struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(flow->port),
                           .sin_addr.s_addr = htonl((uint32_t)flow->client_low)};
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(struct in6_pktinfo))];
  } control;
  memset(&control, 0, sizeof control);
  struct msghdr message = {.msg_name = &v6, .msg_namelen = sizeof v6, .msg_iov = &part, .msg_iovlen = 1,
                           .msg_control = control.space, .msg_controllen = CMSG_SPACE(sizeof(struct in6_pktinfo))};
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  if (family_of(fd) == AF_INET6) {
    struct in6_pktinfo info = {.ipi6_addr = joined(flow->local_high, flow->local_low), .ipi6_ifindex = flow->interface};
    header->cmsg_level = IPPROTO_IPV6;
    header->cmsg_type = IPV6_PKTINFO;
    header->cmsg_len = CMSG_LEN(sizeof info);
    memcpy(CMSG_DATA(header), &info, sizeof info);
  } else {
    struct in_pktinfo info = {.ipi_spec_dst.s_addr = htonl((uint32_t)flow->local_low)};
    message.msg_name = &v4;
    message.msg_namelen = sizeof v4;
    message.msg_controllen = CMSG_SPACE(sizeof info);
    header->cmsg_level = IPPROTO_IP;
    header->cmsg_type = IP_PKTINFO;
    header->cmsg_len = CMSG_LEN(sizeof info);
    memcpy(CMSG_DATA(header), &info, sizeof info);
  }
  ssize_t result = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  return result < 0 ? -errno : result;
}

int cl_connect_datagram(uint32_t address, uint16_t port, uint32_t source) {
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP);
  if (fd < 0) return -errno;
  if (source) cl_keep_source(fd, source);
  struct sockaddr_in peer = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(address)};
  if (connect(fd, (struct sockaddr *)&peer, sizeof peer) == 0) return fd;
  int result = -errno;
  close(fd);
  return result;
}

int cl_accept_control(int listener) {
  int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  return fd < 0 ? -errno : fd;
}

int cl_packet_pair(int *both) {
  return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, both) < 0 ? -errno : 0;
}

static int unix_address(const char *path, struct sockaddr_un *address) {
  memset(address, 0, sizeof *address);
  address->sun_family = AF_UNIX;
  if (strlen(path) >= sizeof address->sun_path) return -ENAMETOOLONG;
  strcpy(address->sun_path, path);
  return 0;
}

int cl_unix_listen(const char *path) {
  struct sockaddr_un address;
  int result = unix_address(path, &address);
  if (result < 0) return result;
  int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -errno;
  unlink(path);
  // The mode is set before anybody can connect: there is no listen() yet.
  if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || chmod(path, 0600) < 0 || listen(fd, 16) < 0) {
    result = -errno;
    close(fd);
    return result;
  }
  return fd;
}

int cl_unix_connect(const char *path) {
  struct sockaddr_un address;
  int result = unix_address(path, &address);
  if (result < 0) return result;
  int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  // Only for a relay that is stopped or stuck: a working one always reads.
  struct timeval patience = {.tv_sec = 5};
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
    result = -errno;
    close(fd);
    return result;
  }
  return fd;
}

int cl_peer(int fd, uint32_t *uid, int32_t *pid) {
  struct ucred credentials;
  socklen_t length = sizeof credentials;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) < 0) return -errno;
  *uid = credentials.uid;
  *pid = credentials.pid;
  return 0;
}

ssize_t cl_send_packet(int fd, const void *bytes, size_t count, const int32_t *fds, int32_t fd_count) {
  struct iovec part = {.iov_base = (void *)bytes, .iov_len = count};
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(int) * CL_FDS_PER_PACKET)];
  } control;
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  if (fd_count < 0 || fd_count > CL_FDS_PER_PACKET) return -EINVAL;
  if (fd_count > 0) {
    memset(&control, 0, sizeof control);
    message.msg_control = control.space;
    message.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)fd_count);
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)fd_count);
    memcpy(CMSG_DATA(header), fds, sizeof(int) * (size_t)fd_count);
  }
  ssize_t result;
  do result = sendmsg(fd, &message, MSG_NOSIGNAL);
  while (result < 0 && errno == EINTR);
  return result < 0 ? -errno : result;
}

ssize_t cl_receive_packet(int fd, void *bytes, size_t capacity, int32_t *fds, int32_t *fd_count) {
  struct iovec part = {.iov_base = bytes, .iov_len = capacity};
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(int) * CL_FDS_PER_PACKET)];
  } control;
  struct msghdr message = {
      .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.space, .msg_controllen = sizeof control.space};
  *fd_count = 0;
  ssize_t result;
  do result = recvmsg(fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  while (result < 0 && errno == EINTR);
  if (result < 0) return -errno;
  for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    memcpy(fds + *fd_count, CMSG_DATA(header), count * sizeof(int));
    *fd_count += (int32_t)count;
  }
  // A packet that lost its tail or some of its descriptors is of no use to anybody.
  if (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
    for (int32_t i = 0; i < *fd_count; i++) close(fds[i]);
    *fd_count = 0;
    return -EMSGSIZE;
  }
  return result;
}

static int listen_on(int family, uint16_t port, int backlog) {
  int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
  if (fd < 0) return -errno;
  int on = 1, off = 0;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  // Accepted sockets inherit it, which saves a system call on each of them.
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = IN6ADDR_ANY_INIT};
  struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
  int result;
  if (family == AF_INET6) {
    result = setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (result == 0) result = bind(fd, (struct sockaddr *)&v6, sizeof v6);
  } else {
    result = bind(fd, (struct sockaddr *)&v4, sizeof v4);
  }
  if (result == 0) result = listen(fd, backlog);
  if (result < 0) {
    result = -errno;
    close(fd);
    return result;
  }
  return fd;
}

int cl_listen(uint16_t port, int backlog) {
  int fd = listen_on(AF_INET6, port, backlog);
  if (fd == -EAFNOSUPPORT || fd == -EADDRNOTAVAIL || fd == -ENOPROTOOPT) fd = listen_on(AF_INET, port, backlog);
  return fd;
}

int cl_local_port(int fd) {
  struct sockaddr_storage address;
  socklen_t length = sizeof address;
  if (getsockname(fd, (struct sockaddr *)&address, &length) < 0) return -errno;
  if (address.ss_family == AF_INET6) return ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
  return ntohs(((struct sockaddr_in *)&address)->sin_port);
}

int cl_is_listening(int fd) {
  int value = 0;
  socklen_t length = sizeof value;
  if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &length) < 0) return 0;
  return value;
}

int cl_control_signals(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGHUP);
  signal(SIGPIPE, SIG_IGN);
  // A copy that cl_hand_over left behind is a child that nobody waits for.
  signal(SIGCHLD, SIG_IGN);
  if (sigprocmask(SIG_BLOCK, &set, NULL) < 0) return -errno;
  int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  return fd < 0 ? -errno : fd;
}

int cl_next_signal(int fd) {
  struct signalfd_siginfo arrived;
  return read(fd, &arrived, sizeof arrived) == sizeof arrived ? (int)arrived.ssi_signo : 0;
}

void cl_ignore_sigpipe(void) { signal(SIGPIPE, SIG_IGN); }

int64_t cl_raise_descriptor_limit(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return -errno;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return -errno;
  return limit.rlim_cur > INT32_MAX ? INT32_MAX : (int64_t)limit.rlim_cur;
}

int cl_processors(void) {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof set, &set) < 0 ? 1 : CPU_COUNT(&set);
}

int cl_lock(const char *path) {
  int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return -errno;
  if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
    int result = -errno;
    close(fd);
    return result;
  }
  // Whoever held it may have removed the file with its last act: a lock on that keeps nobody out.
  struct stat held, named;
  if (fstat(fd, &held) < 0 || stat(path, &named) < 0 || held.st_ino != named.st_ino || held.st_dev != named.st_dev) {
    close(fd);
    return -EWOULDBLOCK;
  }
  return fd;
}

// What only concerns the process the service manager started itself.
static const char *const ours[] = {"NOTIFY_SOCKET=", "WATCHDOG_PID=", "WATCHDOG_USEC=", "JOURNAL_STREAM=", "INVOCATION_ID="};

static int is_ours(const char *variable) {
  for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
    if (strncmp(variable, ours[i], strlen(ours[i])) == 0) return 1;
  return 0;
}

static char **inherited_environment(void) {
  size_t count = 0, kept = 0;
  while (environ[count]) count++;
  char **result = calloc(count + 1, sizeof *result);
  for (size_t i = 0; result && i < count; i++)
    if (!is_ours(environ[i])) result[kept++] = environ[i];
  return result;
}

int cl_spawn_detached(const char *path, char *const *arguments, int log_fd) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  sigset_t none, all;
  pid_t pid = -1;
  char **environment = inherited_environment();
  if (!environment) return -ENOMEM;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, log_fd, 1);
  posix_spawn_file_actions_adddup2(&actions, log_fd, 2);
  posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  int result = posix_spawn(&pid, path, &actions, &attributes, arguments, environment);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  free(environment);
  return result == 0 ? pid : -result;
}

int cl_unshare_network(void) { return unshare(CLONE_NEWNET) < 0 ? -errno : 0; }

static int netlink_open(int protocol) {
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
  if (fd < 0) return -errno;
  struct sockaddr_nl own = {.nl_family = AF_NETLINK};
  if (bind(fd, (struct sockaddr *)&own, sizeof own) < 0) {
    int result = -errno;
    close(fd);
    return result;
  }
  return fd;
}

int cl_netlink_watch(int nftables) {
  int fd = netlink_open(nftables ? NETLINK_NETFILTER : NETLINK_ROUTE);
  if (fd < 0) return fd;
  static const int filter[] = {NFNLGRP_NFTABLES}, host[] = {RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV4_RULE, RTNLGRP_IPV4_ROUTE, RTNLGRP_LINK};
  const int *groups = nftables ? filter : host;
  for (size_t i = 0; i < (nftables ? 1 : 4); i++) {
    if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &groups[i], sizeof groups[i]) == 0) continue;
    int result = -errno;
    close(fd);
    return result;
  }
  return fd;
}

int cl_netlink_drain(int fd) {
  char bytes[8192];
  int count = 0;
  // An overrun (ENOBUFS) is news too: something changed, and what is told by nobody any more.
  while (recv(fd, bytes, sizeof bytes, 0) >= 0 || errno == ENOBUFS || errno == EINTR) count++;
  return count > 0;
}

int cl_hand_over(const char *path, char *const *arguments) {
  pid_t copy = fork();
  if (copy < 0) return -errno;
  if (copy == 0) return 0;
  execv(path, arguments);
  // Whoever supervises this process starts another.
  _exit(71);
}

int cl_send_datagram(const char *path, const char *text) {
  struct sockaddr_un address;
  int result = unix_address(path, &address);
  if (result < 0) return result;
  socklen_t length = sizeof address;
  if (path[0] == '@') {
    address.sun_path[0] = 0;
    length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
  }
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  ssize_t sent = sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&address, length);
  result = sent < 0 ? -errno : 0;
  close(fd);
  return result;
}
