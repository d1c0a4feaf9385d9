// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

/// Starting the relay so that nothing that ends skepd ends it.
struct RelayProcess {
  /// `nil` where the service manager starts it.
  let executable: String?
  let runDirectory: String

  var controlPath: String { runDirectory + "/relay.sock" }
  var pidFile: String { runDirectory + "/relay.pid" }
  var logFile: String { runDirectory + "/relay.log" }

  /// A session of its own, none of our descriptors, output to the log file.
  func start() throws(DataPlaneError) -> Int32 {
    guard let executable else { throw DataPlaneError(.stopped, "the relay is not ours to start") }
    mkdir(runDirectory, 0o755)
    let log = open(logFile, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o640)
    guard log >= 0 else { throw .system("open \(logFile)", errno) }
    defer { close(log) }
    let words: [String] = [executable, "--control", controlPath, "--pid-file", pidFile]
    var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
    defer { for argument in arguments { free(argument) } }
    let process = cl_spawn_detached(executable, &arguments, log)
    guard process > 0 else { throw .system("start \(executable)", process) }
    return process
  }

  /// True once our own child is gone. Somebody else's is never waited for.
  static func hasEnded(_ process: Int32) -> Bool {
    waitpid(process, nil, WNOHANG) != 0
  }
}

/// A control group beside skepd's own, so that killing skepd's whole group spares the relay. Covers cgroup v2 and the
/// hierarchy systemd keeps on hybrid hosts.
package enum ControlGroup {
  static let name = "skep-relay"

  /// What could not be done; empty when all is well.
  static func moveBeside(_ process: Int32) -> [DataPlaneError] {
    guard let text = readAll("/proc/self/cgroup") else { return [DataPlaneError(.system, "no /proc/self/cgroup")] }
    var failures: [DataPlaneError] = []
    for directory in directories(cgroup: text, exists: { access($0, F_OK) == 0 }) {
      do { try move(process, to: directory) } catch { failures.append(error) }
    }
    return failures
  }

  /// Removes the group; it stays while a relay is in it.
  package static func removeIfEmpty() {
    guard let text = readAll("/proc/self/cgroup") else { return }
    for directory in directories(cgroup: text, exists: { access($0, F_OK) == 0 }) { rmdir(directory) }
  }

  /// Where the group belongs, from the lines of `/proc/self/cgroup`. Pure but for `exists`.
  static func directories(cgroup text: String, exists: (String) -> Bool) -> [String] {
    text.split(separator: "\n").compactMap { line in
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3 else { return nil }
      let parent = fields[2].lastIndex(of: "/").map { String(fields[2][..<$0]) } ?? ""
      let roots: [String] =
        switch (fields[0], fields[1]) {
        case ("0", ""): ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"]
        case (_, "name=systemd"): ["/sys/fs/cgroup/systemd"]
        default: []
        }
      return roots.first { exists($0 + "/cgroup.procs") }.map { "\($0)\(parent)/\(name)" }
    }
  }

  private static func move(_ process: Int32, to directory: String) throws(DataPlaneError) {
    guard mkdir(directory, 0o755) == 0 || errno == EEXIST else { throw .system("create \(directory)", errno) }
    let path = directory + "/cgroup.procs"
    let descriptor = open(path, O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system("open \(path)", errno) }
    defer { close(descriptor) }
    let text = String(process)
    guard write(descriptor, text, text.utf8.count) > 0 else { throw .system("write \(path)", errno) }
  }

  private static func readAll(_ path: String) -> String? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 16 * 1024)
    let count = read(descriptor, &bytes, bytes.count)
    return count > 0 ? String(decoding: bytes[..<count], as: UTF8.self) : nil
  }
}
