// SPDX-License-Identifier: Apache-2.0

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

  /// A thread takes no more clients.
  func threadDrained() {
    room.noteDrainedThread()
    notices.post(.empty)
  }

  /// No thread takes clients any more, and the last connection has ended.
  var isDrained: Bool { room.drainedThreads == orders.count && room.isEmpty }

  func sessionEnded() {
    room.note(sessions: -1)
    if room.isDraining, room.isEmpty { notices.post(.empty) }
  }
}
