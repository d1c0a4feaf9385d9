// SPDX-License-Identifier: Apache-2.0

import CLinux
import ClusterModel
import Glibc
import ServiceManager

/// The user-space data plane: accepts on the listening sockets it is given and relays each connection to an endpoint.
///
/// Threads that never block but in epoll carry the traffic, each its own connections; they share the choice of endpoints, so that a
/// strategy is as exact with several threads as with one. The main thread carries none: it talks with skepd.
package enum Relay {
  /// Told by `--version` and in `hello`.
  package static let release = Release.version

  package struct Configuration: Sendable {
    /// The control socket's path; a lock file is kept beside it.
    package var controlPath: String
    /// Removed at exit. `nil` writes none.
    package var pidFile: String?
    /// An endpoint that has not accepted by then is given up for another.
    package var connectTimeout: Duration = .milliseconds(250)
    /// How long clients for whom there is no place wait for one before they are reset, to a tenth of it.
    package var queuePatience: Duration = .seconds(1)
    /// A peer that acknowledges nothing for this long, though there are bytes for it, has vanished. Longer than the 120 s between
    /// the questions that a peer is asked which is there and does not read.
    package var vanishTimeout: Duration = .seconds(300)
    /// How often connections are looked through for those that carry nothing; more often where a listener has a short limit.
    package var sweepInterval: Duration = .seconds(15)
    /// How long open connections may go on after SIGTERM or `shutdown`. After SIGHUP they have all the time they want.
    package var drainTimeout: Duration = .seconds(10)
    package var sessionTimeouts = DatagramSessions.Timeouts()
    /// The least time between two unasked reports of draining endpoints.
    package var reportInterval: Duration = .milliseconds(50)
    /// How often to look whether the control socket's file is still there.
    package var controlCheck: Duration = .seconds(1)
    /// How many threads carry traffic.
    package var threads = Relay.standardThreads
    /// The most connections at a time; `nil` takes what the descriptor limit allows.
    package var connectionLimit: Int?
    /// SIGTERM and SIGINT begin the end, SIGHUP a replacement. Off where the process is not the relay's own.
    package var handlesSignals = true
    /// The program, by its full path, and its arguments that SIGHUP puts in this process's place; none when empty.
    package var successor: [String] = []
    /// Sockets of relays that this one replaces and that still have connections; this one's from now on.
    package var predecessors: [Int32] = []
    /// One of them that says nothing for so long has stopped, and is waited for no longer.
    package var predecessorPatience: Duration = .seconds(1)
    /// Becomes readable when the relay shall end at once. For tests that run one on a thread.
    package var stopDescriptor: Int32?

    package init(controlPath: String) {
      self.controlPath = controlPath
    }
  }

  /// One for each processor that this process may use, at most 4: that many carry more than a host's network does.
  package static let standardThreads = min(4, max(1, Int(cl_processors())))

  /// Serves until it is told to end. Blocks the calling thread; it must be a thread of its own.
  package static func run(_ configuration: Configuration) throws {
    cl_ignore_sigpipe()
    var configuration = configuration
    // Of the process, so only where that is the relay's own.
    if configuration.handlesSignals { configuration.predecessors = Succession.predecessors() }
    var controller = try Controller(configuration)
    if let pidFile = configuration.pidFile { try PidFile.write(pidFile) }
    if configuration.handlesSignals { ServiceManager.tell(.ready) }
    controller.run()
    if let pidFile = configuration.pidFile { PidFile.remove(pidFile) }
  }
}

enum PidFile {
  static func write(_ path: String) throws(DataPlaneError) {
    let text = "\(getpid())\n"
    let temporary = "\(path).\(getpid())"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw .system("create \(temporary)", errno) }
    let written = Glibc.write(descriptor, text, text.utf8.count)
    close(descriptor)
    guard written == text.utf8.count, rename(temporary, path) == 0 else { throw .system("write \(path)", errno) }
  }

  /// Only if it is still this process's: a successor may have written its own.
  static func remove(_ path: String) {
    if read(path) == getpid() { unlink(path) }
  }

  static func read(_ path: String) -> Int32? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 32)
    let count = Glibc.read(descriptor, &bytes, bytes.count)
    return count > 0 ? Int32(String(decoding: bytes[..<count].prefix { $0 != 0x0a }, as: UTF8.self)) : nil
  }
}
