// SPDX-License-Identifier: Apache-2.0
import Foundation

/// A web server's image out of Debian's packages: a small static server compiled from `Resources/web.c`, and busybox for a shell.
package enum WebImage {
  package static let name = "skep-web:latest"
  static let busybox = "/bin/busybox"
  static let applets = [
    "sh", "ls", "cat", "ps", "kill", "sleep", "wget", "ip", "hostname", "head", "tail", "echo", "true", "false", "env",
    "nslookup", "ping", "nc", "timeout",
  ]

  /// Builds the image's file system; returns the tar file's path.
  static func build(in directory: String) async throws -> String {
    let root = "\(directory)/root"
    let files = FileManager.default
    for folder in ["bin", "tmp", "etc"] {
      try files.createDirectory(atPath: "\(root)/\(folder)", withIntermediateDirectories: true)
    }
    try Data(PackageResources.web_c).write(to: URL(fileURLWithPath: "\(directory)/web.c"))
    try await Command("gcc", ["-O2", "-Wall", "-static", "-pthread", "-o", "\(root)/bin/web", "\(directory)/web.c"]).check()
    guard files.fileExists(atPath: busybox) else {
      throw PlaygroundError(.missingTool, "\(busybox) not found; on Debian: apt-get install busybox-static")
    }
    try await Command("cp", ["-f", busybox, "\(root)/bin/busybox"]).check()
    for applet in applets { try await Command("ln", ["-sf", "busybox", "\(root)/bin/\(applet)"]).check() }
    try Data("root:x:0:0:root:/:/bin/sh\n".utf8).write(to: URL(fileURLWithPath: "\(root)/etc/passwd"))
    let tar = "\(directory)/web.tar"
    try await Command("tar", ["--owner=0", "--group=0", "-C", root, "-cf", tar, "."]).check()
    return tar
  }

  static let changes = [
    #"CMD ["/bin/web"]"#, "ENV PATH=/bin", "EXPOSE 80",
  ]
}

extension Host {
  /// Makes an image out of a tar file with a root file system; `changes` are Dockerfile instructions such as `CMD ["/bin/web"]`.
  package func importImage(_ name: String, tar: String, changes: [String] = []) async throws {
    try await checkedDocker(["import"] + changes.flatMap { ["--change", $0] } + [tar, name], via: .engine)
  }

  func hasImage(_ name: String) async throws -> Bool {
    try await docker(["image", "inspect", name], via: .engine).succeeded
  }
}
