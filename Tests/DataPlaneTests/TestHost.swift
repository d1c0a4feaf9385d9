// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import Testing

@testable import Balancing
@testable import DataPlane

/// A run directory with the real relay in it.
final class TestHost: Sendable {
  let directory: TestDirectory
  let executable: String

  /// - Parameter descriptors: what the relay may open at most, as the hard limit.
  init(descriptors: Int? = nil) throws {
    directory = try TestDirectory()
    var bytes = [CChar](repeating: 0, count: 4096)
    let count = readlink("/proc/self/exe", &bytes, bytes.count)
    let tests = String(decoding: bytes[..<max(0, count)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let relay = String(tests[..<(tests.lastIndex(of: "/") ?? tests.startIndex)]) + "/skep-relay"
    executable = descriptors == nil ? relay : directory.path + "/limited"
    if let descriptors { try Self.writeScript(executable, "ulimit -n \(descriptors)\nexec \(relay) \"$@\"\n") }
  }

  /// The relay's process id, from its pid file.
  var relay: Int32? { PidFile.read(directory.path + "/relay.pid").flatMap { kill($0, 0) == 0 ? $0 : nil } }

  /// Runs `body` with a supervisor, which is gone afterwards; the relay stays.
  ///
  /// - Parameter external: the relay is not the supervisor's to start.
  func supervised(
    external: Bool = false, checkInterval: Duration = .seconds(1),
    _ body: @escaping @Sendable (RelaySupervisor) async throws -> Void
  ) async throws {
    let supervisor = try RelaySupervisor(
      executable: external ? nil : executable, runDirectory: directory.path, checkInterval: checkInterval)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        do { try await supervisor.run() } catch is CancellationError {}
      }
      try await body(supervisor)
      group.cancelAll()
      try await group.waitForAll()
    }
  }

  /// User and system time of the relay so far.
  var relayTime: Duration {
    let fields = Self.contents("/proc/\(relay ?? 0)/stat").split(separator: " ")
    let ticks = fields.count > 14 ? (Int(fields[13]) ?? 0) + (Int(fields[14]) ?? 0) : 0
    return .milliseconds(ticks * 10)
  }

  /// Whether SIGSTOP has reached all threads.
  func isStopped(_ process: Int32) -> Bool {
    guard let tasks = opendir("/proc/\(process)/task") else { return false }
    defer { closedir(tasks) }
    while let entry = readdir(tasks) {
      let name = withUnsafePointer(to: entry.pointee.d_name) {
        String(cString: UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self))
      }
      if name.hasPrefix(".") { continue }
      if !Self.contents("/proc/\(process)/task/\(name)/stat").contains(") T ") { return false }
    }
    return true
  }

  private static func writeScript(_ path: String, _ body: String) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o755)
    let text = "#!/bin/sh\n" + body
    guard write(descriptor, text, text.utf8.count) == text.utf8.count else { throw DataPlaneError(.system, path, errno: errno) }
    close(descriptor)
  }

  /// Starts a relay as a service manager would.
  func startRelay() throws -> Int32 {
    let words = [executable, "--control", "\(directory.path)/relay.sock", "--pid-file", "\(directory.path)/relay.pid"]
    var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
    defer { for argument in arguments { free(argument) } }
    let null = open("/dev/null", O_WRONLY)
    defer { close(null) }
    let process = cl_spawn_detached(executable, &arguments, null)
    return try #require(process > 0 ? process : nil)
  }

  /// Ends the relay and waits for it.
  func end() async throws {
    guard let relay else { return }
    try await supervised { try await $0.shutdownRelay() }
    #expect(try await eventually { waitpid(relay, nil, WNOHANG) != 0 && kill(relay, 0) != 0 })
  }

  func table(_ generation: UInt64, port: UInt16, _ endpoints: [Endpoint]) -> EndpointTable {
    EndpointTable(generation: generation, listeners: [Listener(id: "web", port: port, endpoints: endpoints)])
  }

  /// The inode of the socket that listens on a port; a socket bound anew has another.
  func listeningSocket(_ port: UInt16) -> String? { Self.listeningSocket(port) }

  static func listeningSocket(_ port: UInt16) -> String? {
    let text = contents("/proc/net/tcp6") + contents("/proc/net/tcp")
    let wanted = ":" + String(port, radix: 16, uppercase: true) + " "
    for line in text.split(separator: "\n") where line.contains(" 0A ") {
      let fields = line.split(separator: " ")
      if fields.count > 9, (fields[1] + " ").hasSuffix(wanted) { return String(fields[9]) }
    }
    return nil
  }

  static func contents(_ path: String) -> String {
    let descriptor = open(path, O_RDONLY)
    defer { close(descriptor) }
    var all: [UInt8] = []
    var bytes = [UInt8](repeating: 0, count: 65_536)
    while case let count = read(descriptor, &bytes, bytes.count), count > 0 { all += bytes[..<count] }
    return String(decoding: all, as: UTF8.self)
  }
}

/// A port nobody listens on at the moment.
func freePort() -> UInt16 {
  let listener = cl_listen(0, 1)
  defer { close(listener) }
  return UInt16(cl_local_port(listener))
}
