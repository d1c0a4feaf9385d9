// SPDX-License-Identifier: Apache-2.0
import Foundation

extension Playground {
  package func down() async throws { try await Self.down(directory: layout.directory) }

  /// Removes every trace of the playground of a directory, whatever is left of it: processes, mounts (they end with their
  /// processes' namespaces), network namespaces with their links, control groups, and the directory. False if there was nothing.
  @discardableResult
  package static func down(directory: String = Layout.defaultDirectory) async throws -> Bool {
    // A task of its own: a test that is cancelled, or out of time, must still be cleaned up after.
    try await Task { try await remove(directory) }.value
  }

  private static func remove(_ directory: String) async throws -> Bool {
    let layout = try Layout(directory: directory)
    guard geteuid() == 0 else { throw PlaygroundError(.notRoot, "the playground's processes are root's: try sudo") }
    let files = FileManager.default
    let claimed = files.fileExists(atPath: layout.stateFile) || files.fileExists(atPath: layout.lockFile)
    let lock = claimed ? try await DirectoryLock(path: layout.lockFile) : nil
    defer { withExtendedLifetime(lock) {} }
    let namespaces = Traces.namespaces(layout)
    try await Traces.killAll(layout, namespaces)
    for namespace in namespaces { _ = try await Command("ip", ["netns", "delete", namespace]).run() }
    try await Traces.removeControlGroups(layout)
    // Only what `up` claimed: never a directory of somebody else's.
    if claimed { try await Traces.removeDirectory(layout) }
    return claimed || !namespaces.isEmpty
  }
}

/// What a playground leaves on the machine outside its directory, found by its names.
enum Traces {
  static func namespaces(_ layout: Layout) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/run/netns")) ?? []
    return names.filter { $0.hasPrefix(layout.prefix) }.sorted()
  }

  /// Again while something that an interrupted `up` started, a compiler say, still writes.
  static func removeDirectory(_ layout: Layout) async throws {
    let remove = Command("rm", ["-rf", "--one-file-system", layout.directory])
    let done: Bool? = try await eventually(.seconds(5)) { try await remove.run().succeeded ? true : nil }
    if done == nil { try await remove.check() }
  }

  /// Kills until a look finds nobody: a process may have been starting another.
  static func killAll(_ layout: Layout, _ namespaces: [String]) async throws {
    let networks = Set(namespaces.compactMap(networkNamespace))
    let done: Bool? = try await eventually(.seconds(20)) {
      let left = ProcessTable.now().belonging(toPrefix: layout.prefix, networkNamespaces: networks)
      for entry in left where entry.pid != getpid() { _ = kill(entry.pid, SIGKILL) }
      return left.isEmpty ? true : nil
    }
    guard done != nil else { throw PlaygroundError(.notReady, "some processes of the playground survive SIGKILL") }
  }

  /// A namespace as /proc/PID/ns/net names it.
  private static func networkNamespace(_ name: String) -> String? {
    var status = stat()
    return stat("/run/netns/\(name)", &status) == 0 ? "net:[\(status.st_ino)]" : nil
  }

  /// Those of the engines' containers: on version 1 of control groups below each controller, on version 2 below the root.
  static func controlGroups(_ layout: Layout) -> [String] {
    let root = "/sys/fs/cgroup"
    let files = FileManager.default
    let controllers = (try? files.contentsOfDirectory(atPath: root)) ?? []
    return ([root] + controllers.map { "\(root)/\($0)" }).flatMap { folder in
      ((try? files.contentsOfDirectory(atPath: folder)) ?? []).filter { $0.hasPrefix(layout.prefix) }.map { "\(folder)/\($0)" }
    }
  }

  /// The kernel refuses for a moment after the last process of a group has died.
  static func removeControlGroups(_ layout: Layout) async throws {
    let done: Bool? = try await eventually(.seconds(10)) {
      let groups = controlGroups(layout)
      if groups.isEmpty { return true }
      _ = try await Command("find", groups + ["-depth", "-type", "d", "-exec", "rmdir", "{}", "+"]).run()
      return nil
    }
    guard done != nil else { throw PlaygroundError(.notReady, "control groups \(layout.prefix)* could not be removed") }
  }
}
