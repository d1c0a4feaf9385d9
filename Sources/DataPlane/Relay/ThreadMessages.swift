// SPDX-License-Identifier: Apache-2.0

import Balancing

/// What the controller tells a thread that carries traffic.
enum ReactorOrder: Sendable {
  /// Take clients from a socket; the descriptor is the thread's from now on.
  case open(id: Int, ListenerPort, descriptor: Int32)
  case close(id: Int)
  /// A client that another thread accepted.
  case arrival(Arrival)
  /// Endpoints may have gone.
  case tableChanged
  /// Answer with `collected`, and with what open connections have carried if that is wanted.
  case collect(ticket: Int, bytes: Bool)
  /// A connection ended somewhere: clients who wait can be accepted.
  case roomAgain
  /// A place came free for clients of a socket.
  case placeAgain(id: Int)
  /// Clients of a socket wait without a place: see that they do not wait for ever.
  case guardQueue(id: Int)
  /// There is no place for any client: see to the queues that this thread looks after.
  case guardAllQueues
  /// Take no more clients.
  case drain
  /// Stand still until `Shared.resume` says otherwise.
  case park
  case stop
}

/// What a thread tells the controller.
enum ReactorNotice: Sendable {
  case collected(ticket: Int, LiveBytes)
  case reportDue
  /// The last connection, or a thread's taking of clients, has ended.
  case empty
  case parked
  case stopped
}

/// A client on its way to the thread that carries it.
struct Arrival: Sendable {
  let descriptor: Int32
  let client: ClientAddress
  let admission: ListenerTable.Admission
}
