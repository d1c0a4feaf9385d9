// SPDX-License-Identifier: Apache-2.0
//
// What the kernel knows of the other side of a TCP socket.

#ifndef CLINUX_PEERS_H
#define CLINUX_PEERS_H

#include <stdint.h>

// Whether a socket of `cl_connect` still waits for an answer.
int cl_is_connecting(int fd);
// How many have connected to a listening socket and were not accepted.
int cl_queue_length(int fd);
// Asks a silent peer after 300 s whether it is there; after five questions without an answer, 30 s apart, the socket fails.
void cl_keep_alive(int fd);
// How long the peer has acknowledged nothing while there are bytes for it; 0 when there are none. A peer that only does not read
// acknowledges the kernel's questions, which are at most 120 s apart.
int64_t cl_unheard_milliseconds(int fd);

// Gives the calling thread, and what it starts, a network of its own that has nothing but 127.0.0.1. For tests.
int cl_own_loopback(void);
// Drops every packet that comes, as if the host of this socket had gone. For tests.
int cl_drop_packets(int fd);

#endif
