// SPDX-License-Identifier: Apache-2.0
//
// Pipes that bytes pass through on their way from socket to socket, without a copy. Included by CLinux.h.

#ifndef CLINUX_PIPE_H
#define CLINUX_PIPE_H

#include <stdint.h>
#include <sys/types.h>

// A pipe, neither end of which blocks. `capacity` is a wish. Returns 0 or a negative errno.
int cl_pipe(int32_t *exit, int32_t *entry, int capacity);
// Moves at most `count` bytes, one of the two being a pipe. As read(2): 0 at the end, or a negative errno. Never blocks.
ssize_t cl_splice(int from, int to, size_t count);
// Reads all of `count` bytes that are known to be in the pipe, else -EIO.
ssize_t cl_pipe_read(int exit, void *bytes, size_t count);

#endif
