// SPDX-License-Identifier: Apache-2.0
import Foundation

/// What a playground needs of the machine, checked before anything is made.
enum Preflight {
  /// An engine's empty data folder, an image and some containers fit in this.
  static let spaceNeeded: Int64 = 512 << 20

  static let tools = [
    ("ip", "iproute2"), ("nsenter", "util-linux"), ("unshare", "util-linux"), ("setpriv", "util-linux"), ("setsid", "util-linux"),
    ("mount", "mount"), ("dockerd", "docker.io"), ("docker", "docker.io"), ("containerd", "containerd"), ("iptables", "iptables"),
  ]
  static let imageTools = [("gcc", "gcc libc6-dev"), ("tar", "tar")]
  static let searchPath = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"]

  static func check(_ layout: Layout, _ configuration: Configuration) throws {
    guard geteuid() == 0 else {
      throw PlaygroundError(.notRoot, "the playground makes network namespaces and needs root: try sudo")
    }
    let tools = configuration.webImage == nil ? tools : tools + imageTools
    let missing = tools.filter { find($0.0) == nil }
    guard missing.isEmpty else {
      let packages = Set(missing.map(\.1)).sorted().joined(separator: " ")
      throw PlaygroundError(
        .missingTool, "\(missing.map(\.0).joined(separator: ", ")) not found; on Debian: apt-get install \(packages)")
    }
    try checkSpace(layout)
    if configuration.daemons == .all { try checkBinaries(configuration) }
  }

  static func find(_ tool: String) -> String? {
    searchPath.map { "\($0)/\(tool)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
  }

  private static func checkSpace(_ layout: Layout) throws {
    var path = layout.directory
    while !FileManager.default.fileExists(atPath: path), path.count > 1 { path = (path as NSString).deletingLastPathComponent }
    let free = (try? FileManager.default.attributesOfFileSystem(forPath: path)[.systemFreeSize] as? NSNumber)?.int64Value
    guard let free, free < spaceNeeded else { return }
    throw PlaygroundError(
      .noSpace, "\(path) has \(free >> 20) MiB left, a playground needs \(spaceNeeded >> 20); choose another place with --dir")
  }

  private static func checkBinaries(_ configuration: Configuration) throws {
    let folder = configuration.binaryFolder
    for name in ["skepd", "skep-relay"] where !FileManager.default.isExecutableFile(atPath: "\(folder)/\(name)") {
      throw PlaygroundError(.missingTool, "\(folder)/\(name) not found: build it with `swift build`")
    }
  }
}

extension Configuration {
  var binaryFolder: String {
    if let binaries { return binaries }
    let program = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
    return (program as NSString).deletingLastPathComponent
  }
}
