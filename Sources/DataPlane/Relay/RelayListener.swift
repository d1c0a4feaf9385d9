// SPDX-License-Identifier: Apache-2.0

import Balancing

/// A listener's balancer and counts. Outlives the listener until its last connection is closed.
struct RelayListener {
  let id: String
  var port: UInt16
  var balancer: Balancer
  var inTable = true
  var open = 0
  var total: UInt64 = 0
  var refused: UInt64 = 0
  var bytesIn: UInt64 = 0
  var bytesOut: UInt64 = 0
}

/// A listening socket. Keyed by port: it stays when the port goes from one service to another.
struct ListeningSocket {
  let port: UInt16
  let descriptor: Int32
  /// Index of the listener that takes its connections.
  var listener: Int
  /// How many to accept before looking at other events: about as many as came the last time, which saves the call that
  /// finds no more.
  var batch = 1

  static let largestBatch = 64
}
