// SPDX-License-Identifier: Apache-2.0

package import Balancing

/// What came of a table. A listener that could not be opened does not keep the others from working.
package struct ProgramResult: Hashable, Sendable {
  package struct Failure: Hashable, Sendable, CustomStringConvertible {
    package let listener: String
    package let port: ListenerPort
    package let errno: Int32

    /// In the words of Docker's own message for a port that is taken.
    package var description: String {
      "listen \(port.transport) :\(port.number): bind: \(DataPlaneError.text(of: errno).lowercased())"
    }
  }

  /// Of the table in force: the one asked for, or a later one that overtook it.
  package let generation: UInt64
  package let failures: [Failure]
}

/// skepd's side of the relay: keeps one running, holds duplicates of its listening sockets, and tells it the tables.
///
/// The relay outlives its supervisor. A new one finds it by `runDirectory`, takes over its sockets and binds nothing again;
/// a relay that died is started at once, or met when another starts it, with the sockets kept here and the last table.
package final class RelaySupervisor: Sendable {
  package enum LogLevel: Sendable {
    case debug, info, warning, error
  }

  private let mailbox: SupervisorMailbox
  private let process: RelayProcess
  private let checkInterval: Duration
  private let misunderstandingPause: Duration
  private let log: @Sendable (LogLevel, String) -> Void

  /// - Parameter executable: `nil` when somebody else, such as systemd, starts the relay and starts it again; it is then found by
  ///   its socket.
  /// - Parameter runDirectory: holds `relay.sock`, `relay.pid` and `relay.log`; made when missing. At most about 90 bytes, as
  ///   socket paths are short.
  /// - Parameter misunderstandingPause: before talking again to a relay that was not understood.
  /// - Parameter checkInterval: how often the relay is asked whether it works; ten questions without an answer are its end.
  package init(
    executable: String?, runDirectory: String, checkInterval: Duration = .seconds(1),
    misunderstandingPause: Duration = .milliseconds(500),
    log: @escaping @Sendable (LogLevel, String) -> Void = { _, _ in }
  ) throws {
    self.checkInterval = checkInterval
    self.misunderstandingPause = misunderstandingPause
    process = RelayProcess(executable: executable, runDirectory: runDirectory)
    mailbox = try SupervisorMailbox()
    self.log = log
  }

  /// Supervises until the task is cancelled, which leaves the relay running. Once per supervisor.
  ///
  /// Throws `DataPlaneError` with code `superseded` when another skepd has taken the relay over.
  package func run() async throws {
    try mailbox.begin()
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
        // A thread of its own: it blocks in poll, which the cooperative pool must not.
        DedicatedThread.start { [process, mailbox, checkInterval, misunderstandingPause, log] in
          let loop = SupervisorLoop(
            process: process, mailbox: mailbox, checkInterval: checkInterval, misunderstandingPause: misunderstandingPause,
            log: log)
          let result = Result { try loop.run() }
          mailbox.end()
          continuation.resume(with: result)
        }
      }
    } onCancel: {
      mailbox.stop()
    }
    try Task.checkCancellation()
  }

  /// Returns when the relay has applied the table, or a later one. May be called before `run`, and waits for it then. Throws
  /// `DataPlaneError` with code `refused`, and the relay's reason, when the relay keeps the table it had.
  /// After `shutdownRelay` it starts the relay again.
  package func program(_ table: EndpointTable) async throws -> ProgramResult {
    guard case .programmed(let result) = try await mailbox.ask(.program(table)) else { throw Self.mixedUp }
    return result
  }

  /// Whose address is kept from now on, by this relay and those after it. Until it is called a relay that was found goes on as it
  /// was told before, and one that was started keeps nobody's. Does not wait for the relay, which hears of it before any table
  /// programmed afterwards.
  package func keepSources(_ policy: SourcePolicy) async throws {
    guard case .done = try await mailbox.ask(.sources(policy)) else { throw Self.mixedUp }
  }

  /// Connections open to each of the endpoints, over all listeners, in the table or not.
  package func openConnections(of endpoints: [String]) async throws -> [String: Int] {
    guard case .counts(let counts) = try await mailbox.ask(.counts(endpoints)) else { throw Self.mixedUp }
    return counts
  }

  package func counters() async throws -> [ListenerCounters] { try await report()?.listeners ?? [] }

  /// `nil` while the relay is shut down. Waits for one that is being started.
  package func report() async throws -> RelayReport? {
    guard case .counters(let report) = try await mailbox.ask(.counters) else { throw Self.mixedUp }
    return report
  }

  /// The listeners of the last table that do not work, with the reason.
  package var failures: [ProgramResult.Failure] { mailbox.failures }

  /// Connections open to endpoints that drain or have left the table, the whole of it at every change, at most every 50 ms.
  /// An endpoint that is missing has none. A slow reader gets the newest and misses those between.
  package func drainingConnections() -> AsyncStream<[String: Int]> {
    mailbox.subscribe()
  }

  /// Returns when none of the endpoints has an open connection; they should be draining, or gone from the table.
  package func waitUntilDrained(_ endpoints: [String]) async throws {
    // Subscribed first: what changes after the question is seen.
    let changes = drainingConnections()
    if try await openConnections(of: endpoints).values.allSatisfy({ $0 == 0 }) { return }
    for await counts in changes where endpoints.allSatisfy({ counts[$0, default: 0] == 0 }) { return }
    try Task.checkCancellation()
    throw DataPlaneError(.stopped, "the supervisor stopped")
  }

  /// Closes the listening sockets for good and lets the relay exit, which takes until its open connections have finished, 10 s
  /// at most. Returns when the ports are free.
  package func shutdownRelay() async throws {
    guard case .done = try await mailbox.ask(.shutdown) else { throw Self.mixedUp }
  }

  private static var mixedUp: DataPlaneError { DataPlaneError(.protocol, "an answer to another question") }
}
