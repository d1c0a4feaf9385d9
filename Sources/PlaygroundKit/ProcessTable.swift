// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The machine's processes as /proc shows them at one moment, with what tells a playground's own from all others: the namespaces
/// they are in. Nothing is remembered between two looks, so a process id that was given out again is never taken for ours.
struct ProcessTable {
  struct Entry: Equatable {
    var pid: Int32
    /// The executable's base name, also while it is being replaced by a build.
    var executable: String
    var argv0: String
    var processNamespace: String
    var mountNamespace: String
    var networkNamespace: String
  }

  let entries: [Entry]
  /// The process that looks: whatever its namespaces are, they are not a playground's to kill.
  let own: Entry?

  static func now() -> ProcessTable {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return ProcessTable(entries: names.compactMap { Int32($0) }.sorted().compactMap(entry), own: entry(getpid()))
  }

  /// nil for what is gone, a zombie, or a thread of the kernel: none has namespaces or an executable left.
  private static func entry(_ pid: Int32) -> Entry? {
    guard let executable = link(pid, "exe"), let process = link(pid, "ns/pid"), let mount = link(pid, "ns/mnt"),
      let network = link(pid, "ns/net"), let command = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline")
    else { return nil }
    return Entry(
      pid: pid, executable: baseName(executable), argv0: String(decoding: command.prefix { $0 != 0 }, as: UTF8.self),
      processNamespace: process, mountNamespace: mount, networkNamespace: network)
  }

  private static func link(_ pid: Int32, _ name: String) -> String? {
    try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/\(name)")
  }

  static func baseName(_ executable: String) -> String {
    let path = executable.hasSuffix(" (deleted)") ? executable.dropLast(" (deleted)".count) : executable[...]
    return path.split(separator: "/").last.map(String.init) ?? ""
  }

  /// A host's init, by the name it took.
  func hostInit(_ name: String) -> Entry? {
    entries.first { $0.argv0 == name && $0.processNamespace != own?.processNamespace }
  }

  /// What runs directly on the host: not in its containers, which have mounts of their own.
  func onHost(_ hostInit: Entry) -> [Entry] {
    entries.filter {
      $0.pid != hostInit.pid && $0.processNamespace == hostInit.processNamespace && $0.mountNamespace == hostInit.mountNamespace
    }
  }

  /// Everything that runs on a host, its containers included, without its init: what has the init among its ancestors. `parents` are
  /// all processes' by process id.
  static func descendants(of hostInit: Int32, parents: [Int32: Int32]) -> [Int32] {
    parents.keys.filter { pid in
      var next = parents[pid]
      // A process that ended while we looked leaves a gap, and an id given out again could close a ring.
      for _ in 0..<parents.count {
        guard let parent = next, parent != hostInit else { break }
        next = parents[parent]
      }
      return next == hostInit
    }.sorted()
  }

  /// The parents of all processes, as the machine numbers them.
  static func parents() -> [Int32: Int32] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    let pairs = names.compactMap { Int32($0) }.compactMap { pid in parent(of: pid).map { (pid, $0) } }
    return Dictionary(pairs) { first, _ in first }
  }

  private static func parent(of pid: Int32) -> Int32? {
    guard let data = FileManager.default.contents(atPath: "/proc/\(pid)/stat") else { return nil }
    // The name, in parentheses, may hold anything.
    let text = String(decoding: data, as: UTF8.self)
    guard let end = text.lastIndex(of: ")") else { return nil }
    return text[end...].split(separator: " ").dropFirst(2).first.flatMap { Int32($0) }
  }

  /// Everything that keeps a piece of a playground alive: inits, and whatever is in its process or network namespaces.
  func belonging(toPrefix prefix: String, networkNamespaces: Set<String>) -> [Entry] {
    let inits = entries.filter { $0.argv0.hasPrefix(prefix) && $0.argv0.hasSuffix("-init") }
    let spaces = Set(inits.map(\.processNamespace)).subtracting([own?.processNamespace ?? ""])
    let networks = networkNamespaces.subtracting([own?.networkNamespace ?? ""])
    return entries.filter { networks.contains($0.networkNamespace) || spaces.contains($0.processNamespace) }
  }
}
