// SPDX-License-Identifier: Apache-2.0

// pipe2, splice
#define _GNU_SOURCE

#include "CLinux.h"

int cl_pipe(int32_t *exit, int32_t *entry, int capacity) {
  int ends[2];
  if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) < 0) return -errno;
  // More room is better, and less does too.
  fcntl(ends[1], F_SETPIPE_SZ, capacity);
  *exit = ends[0];
  *entry = ends[1];
  return 0;
}

ssize_t cl_splice(int from, int to, size_t count) {
  ssize_t result = splice(from, NULL, to, NULL, count, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
  return result < 0 ? -errno : result;
}

ssize_t cl_pipe_read(int exit, void *bytes, size_t count) {
  size_t done = 0;
  while (done < count) {
    ssize_t result = read(exit, (char *)bytes + done, count - done);
    if (result > 0) done += (size_t)result;
    else if (result == 0 || errno != EINTR) return -EIO;
  }
  return (ssize_t)count;
}
