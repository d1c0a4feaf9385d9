// SPDX-License-Identifier: Apache-2.0
// The playground's load client: GET requests over a number of connections at a time, told apart by what became of them.
//   load ADDRESS PORT PATH COUNT PARALLEL PER_CONNECTION LIMIT_MS
// A request is never repeated. Each connection makes at most PER_CONNECTION requests, one after the other; the last of them
// asks for the connection's end. A request without its whole answer after LIMIT_MS has failed.
// Writes lines: "answer N BODY" (by first line, status 200 only), "failure N REASON", "connections N".
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ANSWER_MAX = 16384, KINDS = 4096 };

struct client {
  int fd;
  int connected;
  int is_idle;  // in the queue of those that go on with another request
  long made;  // requests on this connection, the one under way included
  long long deadline;
  size_t filled;
  char answer[ANSWER_MAX + 1];
};

struct kind {
  const char *what;
  char *text;
  long count;
};

static struct sockaddr_in server;
static struct client *clients, **idle;
static long idle_count;
static struct kind kinds[KINDS];
static char request[2][2048];  // the second asks for the end
static size_t request_size[2];
static long total, parallel, per_connection, limit, begun, ended, connections;
static int events;

static long long now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000LL + time.tv_nsec / 1000000;
}

static void count(const char *what, const char *text) {
  for (int i = 0; i < KINDS; i++) {
    if (!kinds[i].text) kinds[i] = (struct kind){what, strdup(text), 0};
    if (kinds[i].what != what || strcmp(kinds[i].text, text)) continue;
    kinds[i].count++;
    break;
  }
  ended++;
}

static const char ANSWER[] = "answer", FAILURE[] = "failure";

static void hang_up(struct client *client) {
  if (client->fd >= 0) close(client->fd);
  client->fd = -1;
}

static void go_on_later(struct client *client) {
  if (!client->is_idle) idle[idle_count++] = client;
  client->is_idle = 1;
}

static void fail(struct client *client, const char *when, const char *reason) {
  char text[256];
  snprintf(text, sizeof text, "%s%s%s", reason, *when ? " " : "", when);
  count(FAILURE, text);
  hang_up(client);
  go_on_later(client);
}

static void fail_system(struct client *client, const char *when, int number) {
  fail(client, when, number == ECONNRESET ? "reset" : number == ECONNREFUSED ? "refused" : strerror(number));
}

static const char *when(struct client *client) {
  if (!client->connected) return "at connect";
  return client->filled ? "within an answer" : client->made > 1 ? "on a used connection" : "before an answer";
}

static void send_request(struct client *client) {
  int last = client->made == per_connection;
  // The buffer of a socket whose last request was answered has room for another.
  ssize_t sent = send(client->fd, request[last], request_size[last], MSG_NOSIGNAL);
  if (sent != (ssize_t)request_size[last]) fail_system(client, when(client), sent < 0 ? errno : EAGAIN);
}

static void open_connection(struct client *client) {
  int one = 1;
  client->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  client->connected = 0;
  client->made = 1;
  connections++;
  setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (connect(client->fd, (struct sockaddr *)&server, sizeof server) < 0 && errno != EINPROGRESS)
    return fail_system(client, "at connect", errno);
  struct epoll_event event = {EPOLLIN | EPOLLOUT | EPOLLET, {.ptr = client}};
  epoll_ctl(events, EPOLL_CTL_ADD, client->fd, &event);
}

static void next(struct client *client) {
  if (begun == total) return hang_up(client);
  begun++;
  client->filled = 0;
  client->deadline = now() + limit;
  if (client->fd < 0) return open_connection(client);
  client->made++;
  send_request(client);
}

// Those that fail at once wait for the next turn.
static void go_on(void) {
  for (long left = idle_count; left > 0; left--) {
    struct client *client = idle[0];
    memmove(idle, idle + 1, (size_t)--idle_count * sizeof *idle);
    client->is_idle = 0;
    next(client);
  }
}

// Whether the answer is whole; its end is cut off for the next.
static int finish_answer(struct client *client) {
  client->answer[client->filled] = 0;
  char *body = strstr(client->answer, "\r\n\r\n");
  if (!body) return 0;
  char *length = strcasestr(client->answer, "\r\nContent-Length:");
  if (!length || length > body) return fail(client, "", "answer without a length"), 1;
  body += 4;
  size_t size = strtoul(length + 17, NULL, 10), whole = (size_t)(body - client->answer) + size;
  if (client->filled < whole && whole <= ANSWER_MAX) return 0;
  if (client->filled != whole) return fail(client, "", "answer of another length"), 1;
  int status = atoi(client->answer + 9);
  int closes = client->made == per_connection || strcasestr(client->answer, "\r\nConnection: close") != NULL;
  if (status == 200) {
    body[strcspn(body, "\n")] = 0;
    count(ANSWER, body);
  } else {
    char text[32];
    snprintf(text, sizeof text, "status %d", status);
    count(FAILURE, text);
  }
  if (closes) hang_up(client);
  go_on_later(client);
  return 1;
}

static void event(struct client *client, uint32_t flags) {
  if (!client->connected) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error) return fail_system(client, "at connect", error);
    if (!(flags & EPOLLOUT)) return;
    client->connected = 1;
    send_request(client);
  }
  while (client->fd >= 0) {
    ssize_t got = recv(client->fd, client->answer + client->filled, ANSWER_MAX - client->filled, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return;
    if (got < 0) return fail_system(client, when(client), errno);
    client->filled += (size_t)got;
    if (got == 0) return fail(client, when(client), "closed");
    if (finish_answer(client)) return;
  }
}

static void expire(void) {
  long long time = now();
  for (long i = 0; i < parallel; i++)
    if (clients[i].fd >= 0 && clients[i].deadline <= time) fail(&clients[i], when(&clients[i]), "timed out");
}

int main(int argc, char **argv) {
  if (argc != 8) return fprintf(stderr, "usage: load ADDRESS PORT PATH COUNT PARALLEL PER_CONNECTION LIMIT_MS\n"), 2;
  server = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[2]))};
  total = atol(argv[4]), parallel = atol(argv[5]), per_connection = atol(argv[6]), limit = atol(argv[7]);
  if (inet_pton(AF_INET, argv[1], &server.sin_addr) != 1 || total < 1 || parallel < 1 || per_connection < 1)
    return fprintf(stderr, "load: bad arguments\n"), 2;
  struct rlimit files = {(rlim_t)parallel + 64, (rlim_t)parallel + 64};
  setrlimit(RLIMIT_NOFILE, &files);
  for (int last = 0; last < 2; last++)
    request_size[last] = (size_t)snprintf(request[last], sizeof *request, "GET %s HTTP/1.1\r\nHost: %s\r\n%s\r\n", argv[3], argv[1],
                                          last ? "Connection: close\r\n" : "");
  events = epoll_create1(EPOLL_CLOEXEC);
  clients = calloc((size_t)parallel, sizeof *clients);
  idle = calloc((size_t)parallel, sizeof *idle);
  for (long i = 0; i < parallel; i++) {
    clients[i].fd = -1;
    go_on_later(&clients[i]);
  }
  struct epoll_event ready[256];
  for (long long checked = now(); ended < total;) {
    go_on();
    int found = epoll_wait(events, ready, 256, idle_count ? 0 : 50);
    for (int i = 0; i < found; i++) {
      struct client *client = ready[i].data.ptr;
      if (client->fd >= 0) event(client, ready[i].events);
    }
    if (now() - checked < 50) continue;
    checked = now();
    expire();
  }
  for (int i = 0; i < KINDS && kinds[i].text; i++) printf("%s %ld %s\n", kinds[i].what, kinds[i].count, kinds[i].text);
  printf("connections %ld\n", connections);
  return 0;
}
