// SPDX-License-Identifier: Apache-2.0
// The playground's web server: small, exact, and polite about SIGTERM. HTTP/1.1 with keep-alive, one thread per connection.
//   GET /            host name        GET /peer      the client's address     GET /slow?ms=N   host name after N ms
//   GET /drip?ms=N   1000 bytes in ten pieces over N ms            GET /bytes?n=N   N bytes
//   GET /health      200 or 503       GET /unhealthy makes /health say 503    GET /exit?code=N answers, then exits with N
// A UDP datagram to the same port is answered with host name and client's address.
// PORT (80) is the port; START_DELAY_MS listens that much later. On SIGTERM it takes what is queued, stops listening,
// finishes open requests, gives idle connections LINGER_MS to send one more, and exits with 0.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LINGER_MS = 300, REQUEST_MAX = 16384 };

static int stop_pipe[2];  // readable for good once SIGTERM has come: nobody reads it
static atomic_bool stopping, unhealthy;
static atomic_int connections;
static char hostname[256];

static void on_term(int signal) {
  (void)signal;
  int saved = errno;
  atomic_store(&stopping, 1);
  if (write(stop_pipe[1], "x", 1) < 0) { /* full: already readable */ }
  errno = saved;
}

static long number_after(const char *text, const char *key, long otherwise) {
  const char *found = strstr(text, key);
  return found ? strtol(found + strlen(key), NULL, 10) : otherwise;
}

static void sleep_ms(long ms) {
  while (ms > 0) {
    long step = ms < 1000 ? ms : 1000;
    usleep((useconds_t)step * 1000);
    ms -= step;
  }
}

// False when the peer closed, failed, or stayed idle too long after SIGTERM.
static int wait_readable(int fd) {
  for (;;) {
    int draining = atomic_load(&stopping);
    struct pollfd fds[2] = {{fd, POLLIN, 0}, {draining ? -1 : stop_pipe[0], POLLIN, 0}};
    int ready = poll(fds, 2, draining ? LINGER_MS : -1);
    if (ready < 0 && errno != EINTR) return 0;
    if (fds[0].revents && ready > 0) return 1;
    if (ready == 0) return 0;
  }
}

static int send_all(int fd, const char *data, size_t size) {
  while (size > 0) {
    ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return 0;
    data += sent;
    size -= (size_t)sent;
  }
  return 1;
}

static int answer(int fd, int status, int keep, const char *body) {
  char reply[1024];
  int size = snprintf(reply, sizeof reply,
                      "HTTP/1.1 %d %s\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\nConnection: %s\r\n\r\n%s\n",
                      status, status == 200 ? "OK" : status == 404 ? "Not Found" : "Service Unavailable",
                      strlen(body) + 1, keep ? "keep-alive" : "close", body);
  return send_all(fd, reply, (size_t)size);
}

// A long answer that a cut would leave short.
static int drip(int fd, int keep, long ms) {
  char head[128], piece[100];
  int size = snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nConnection: %s\r\n\r\n", keep ? "keep-alive" : "close");
  memset(piece, '.', sizeof piece);
  if (!send_all(fd, head, (size_t)size)) return 0;
  for (int i = 0; i < 10; i++) {
    sleep_ms(ms / 10);
    if (i == 9) piece[sizeof piece - 1] = '\n';
    if (!send_all(fd, piece, sizeof piece)) return 0;
  }
  return keep;
}

// An answer of so many bytes.
static int bytes(int fd, int keep, long count) {
  static const char piece[65536];
  char head[128];
  int size = snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %ld\r\nConnection: %s\r\n\r\n", count, keep ? "keep-alive" : "close");
  if (!send_all(fd, head, (size_t)size)) return 0;
  for (long left = count; left > 0; left -= (long)sizeof piece)
    if (!send_all(fd, piece, left < (long)sizeof piece ? (size_t)left : sizeof piece)) return 0;
  return keep;
}

static int serve(int fd, const char *head, int keep) {
  char method[16] = "", path[1024] = "", peer[INET6_ADDRSTRLEN] = "?";
  if (sscanf(head, "%15s %1023s", method, path) != 2) return 0;
  if (!strncmp(path, "/slow", 5)) sleep_ms(number_after(path, "ms=", 1000));
  keep = keep && !atomic_load(&stopping);
  if (!strncmp(path, "/drip", 5)) return drip(fd, keep, number_after(path, "ms=", 1000));
  if (!strncmp(path, "/bytes", 6)) return bytes(fd, keep, number_after(path, "n=", 1000));
  if (!strcmp(path, "/") || !strncmp(path, "/?", 2) || !strncmp(path, "/slow", 5)) return answer(fd, 200, keep, hostname) && keep;
  if (!strcmp(path, "/health"))
    return answer(fd, unhealthy ? 503 : 200, keep, unhealthy ? "unhealthy" : "healthy") && keep;
  if (!strcmp(path, "/unhealthy")) {
    atomic_store(&unhealthy, 1);
    return answer(fd, 200, keep, "unhealthy from now on") && keep;
  }
  if (!strncmp(path, "/exit", 5)) {
    answer(fd, 200, 0, "bye");
    shutdown(fd, SHUT_WR);
    exit((int)number_after(path, "code=", 0));
  }
  if (!strcmp(path, "/peer")) {
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    if (getpeername(fd, (struct sockaddr *)&address, &length) == 0)
      inet_ntop(AF_INET, &((struct sockaddr_in *)&address)->sin_addr, peer, sizeof peer);
    return answer(fd, 200, keep, peer) && keep;
  }
  return answer(fd, 404, keep, "not found") && keep;
}

static void *connection(void *argument) {
  int fd = (int)(long)argument, one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  char buffer[REQUEST_MAX + 1];
  size_t filled = 0, skip = 0;  // skip: bytes of a request's body still to be thrown away
  while (1) {
    buffer[filled] = 0;
    char *end = strstr(buffer, "\r\n\r\n");
    if (skip > 0 && filled > 0) {
      size_t dropped = skip < filled ? skip : filled;
      memmove(buffer, buffer + dropped, filled - dropped);
      filled -= dropped;
      skip -= dropped;
    } else if (end) {
      *end = 0;
      long length = 0;
      char *found = strcasestr(buffer, "\r\nContent-Length:");
      if (found) length = strtol(found + 17, NULL, 10);
      int old = strstr(buffer, "HTTP/1.0") != NULL;
      int keep = old ? strcasestr(buffer, "keep-alive") != NULL : strcasestr(buffer, "\r\nConnection: close") == NULL;
      size_t head = (size_t)(end + 4 - buffer);
      if (length < 0 || strcasestr(buffer, "\r\nTransfer-Encoding:")) keep = 0;
      if (!serve(fd, buffer, keep)) break;
      memmove(buffer, buffer + head, filled - head);
      filled -= head;
      skip = (size_t)length;
    } else {
      if (filled == REQUEST_MAX || !wait_readable(fd)) break;
      ssize_t got = read(fd, buffer + filled, REQUEST_MAX - filled);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) break;
      filled += (size_t)got;
    }
  }
  // Say goodbye, then wait for the peer's: closing with unread bytes would send a reset that can overtake the answer.
  shutdown(fd, SHUT_WR);
  struct pollfd last = {fd, POLLIN, 0};
  while (poll(&last, 1, LINGER_MS) > 0 && read(fd, buffer, REQUEST_MAX) > 0) {}
  close(fd);
  atomic_fetch_sub(&connections, 1);
  return NULL;
}

static void take(int listener) {
  pthread_attr_t small;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 128 * 1024);
  pthread_attr_setdetachstate(&small, PTHREAD_CREATE_DETACHED);
  for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0;) {
    pthread_t thread;
    atomic_fetch_add(&connections, 1);
    if (pthread_create(&thread, &small, connection, (void *)(long)fd) != 0) {
      atomic_fetch_sub(&connections, 1);
      close(fd);
    }
  }
  pthread_attr_destroy(&small);
}

static void *datagrams(void *argument) {
  int fd = (int)(long)argument;
  char text[REQUEST_MAX], peer[INET_ADDRSTRLEN];
  for (;;) {
    struct sockaddr_in client;
    socklen_t length = sizeof client;
    if (recvfrom(fd, text, sizeof text, 0, (struct sockaddr *)&client, &length) < 0) continue;
    inet_ntop(AF_INET, &client.sin_addr, peer, sizeof peer);
    int size = snprintf(text, sizeof text, "%s %s\n", hostname, peer);
    sendto(fd, text, (size_t)size, 0, (struct sockaddr *)&client, length);
  }
}

int main(void) {
  gethostname(hostname, sizeof hostname - 1);
  if (pipe2(stop_pipe, O_CLOEXEC | O_NONBLOCK) < 0) return perror("pipe"), 1;
  struct sigaction action = {.sa_handler = on_term};
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGINT, &action, NULL);

  const char *port = getenv("PORT"), *delay = getenv("START_DELAY_MS");
  struct pollfd stop = {stop_pipe[0], POLLIN, 0};
  if (delay && poll(&stop, 1, atoi(delay)) != 0) return 0;

  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)(port ? atoi(port) : 80))};
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 4096) < 0)
    return perror("listen"), 1;
  int packets = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  pthread_t answering;
  if (bind(packets, (struct sockaddr *)&address, sizeof address) < 0 ||
      pthread_create(&answering, NULL, datagrams, (void *)(long)packets) != 0)
    return perror("udp"), 1;
  while (!atomic_load(&stopping)) {
    struct pollfd fds[2] = {{listener, POLLIN, 0}, stop};
    if (poll(fds, 2, -1) > 0) take(listener);
  }
  take(listener);
  close(listener);
  while (atomic_load(&connections) > 0) usleep(2000);
  return 0;
}
