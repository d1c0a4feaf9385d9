// SPDX-License-Identifier: Apache-2.0

import Balancing
import Synchronization

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
  /// The last connection has ended.
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

/// What the relay's threads share. Its lock is held for a choice or a count, never over a system call.
final class Shared: Sendable {
  let orders: [Inbox<ReactorOrder>]
  let notices: Inbox<ReactorNotice>
  /// Of their own, since a thread that stands still must touch nothing while the process is copied, and nothing afterwards that the
  /// copy uses as well.
  let resumptions: [Inbox<Void>]
  let room: Room
  private let table: Locked<ListenerTable>

  init(threads: Int, connectionLimit: Int, descriptorLimit: Int, seed: UInt64) throws(DataPlaneError) {
    var inboxes: [Inbox<ReactorOrder>] = []
    for _ in 0..<threads { inboxes.append(try Inbox()) }
    orders = inboxes
    var resumptions: [Inbox<Void>] = []
    for _ in 0..<threads { resumptions.append(try Inbox()) }
    self.resumptions = resumptions
    notices = try Inbox()
    room = Room(connectionLimit: connectionLimit, descriptorLimit: descriptorLimit)
    table = Locked(ListenerTable(threads: threads, seed: seed))
  }

  /// The controller is told when a report became due by it, threads when places came free.
  @inline(__always)
  func withTable<Result: Sendable>(_ body: (inout ListenerTable) -> Result) -> Result {
    let (result, becameDue, wakes) = table.withLock { table in
      let wasDue = table.isReportDue
      let result = body(&table)
      return (result, table.isReportDue && !wasDue, table.takeWakes())
    }
    if becameDue { notices.post(.reportDue) }
    for wake in wakes { orders[wake.thread].post(.placeAgain(id: wake.socket)) }
    return result
  }

  /// Lets threads that stand still go on.
  func resume() {
    for inbox in resumptions { inbox.post(()) }
  }

  func tellAll(_ order: ReactorOrder) {
    for inbox in orders { inbox.post(order) }
  }

  /// One connection less; who waits for its place, or for the last one to end, is told.
  func connectionEnded() {
    room.giveBack()
    if room.isAwaited { tellAll(.roomAgain) }
    if room.isDraining, room.isEmpty { notices.post(.empty) }
  }

  func sessionEnded() {
    room.note(sessions: -1)
    if room.isDraining, room.isEmpty { notices.post(.empty) }
  }
}

/// How many connections all threads together may have, by number and by the descriptors that are left for them, two each.
///
/// Every load and store is sequentially consistent: a thread that says it waits and then finds no room is seen by whoever makes
/// room later.
final class Room: Sendable {
  private let connectionLimit: Int
  private let descriptorLimit: Int
  private let connections = Atomic<Int>(0)
  private let sessions = Atomic<Int>(0)
  private let sockets = Atomic<Int>(0)
  private let waiting = Atomic<Int>(0)
  private let draining = Atomic<Bool>(false)

  init(connectionLimit: Int, descriptorLimit: Int) {
    self.connectionLimit = connectionLimit
    self.descriptorLimit = descriptorLimit
  }

  var connectionCount: Int { connections.load(ordering: .sequentiallyConsistent) }
  var sessionCount: Int { sessions.load(ordering: .sequentiallyConsistent) }
  /// What takes one descriptor each.
  private var others: Int { sessionCount + sockets.load(ordering: .sequentiallyConsistent) }
  var isEmpty: Bool { connectionCount + sessionCount == 0 }
  var isAwaited: Bool { waiting.load(ordering: .sequentiallyConsistent) > 0 }
  var isDraining: Bool { draining.load(ordering: .sequentiallyConsistent) }

  var limit: Int {
    let spare = descriptorLimit - min(64, descriptorLimit / 2) - others
    return min(connectionLimit, spare / 2)
  }

  var hasRoom: Bool { connectionCount < limit }

  /// A place for one more connection; `Shared.connectionEnded` gives it back. False when all are taken.
  func take() -> Bool {
    guard hasRoom else { return false }
    if connections.add(1, ordering: .sequentiallyConsistent).newValue <= limit { return true }
    giveBack()
    return false
  }

  fileprivate func giveBack() { connections.subtract(1, ordering: .sequentiallyConsistent) }

  func note(sessions change: Int) { sessions.add(change, ordering: .sequentiallyConsistent) }
  /// Listening sockets, a descriptor each in every thread that holds them.
  func note(sockets change: Int) { sockets.add(change, ordering: .sequentiallyConsistent) }

  /// Half of what there is, so that a flood of datagrams leaves connections their half.
  var sessionLimit: Int { max(1, connectionLimit / 2) }
  var sessionsAreFull: Bool { sessionCount >= sessionLimit }
  var hasDescriptor: Bool { 2 * connectionCount + others + 64 < descriptorLimit }

  func beginWaiting() { waiting.add(1, ordering: .sequentiallyConsistent) }
  func endWaiting() { waiting.subtract(1, ordering: .sequentiallyConsistent) }
  func beginDraining() { draining.store(true, ordering: .sequentiallyConsistent) }
}
