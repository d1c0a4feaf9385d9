// SPDX-License-Identifier: Apache-2.0

import Foundation
import PlaygroundKit
import Testing

extension SystemTests {
  @Test("What is not the swarm's goes through to the engine and comes back as from the engine itself")
  func passThrough() async throws {
    try await Fixture.with(swarm: false) { n1 in
      try await n1.same(["run", "--rm", "skep-web", "sh", "-c", "echo out; echo err >&2; exit 7"])
      try await n1.same(
        ["run", "--rm", "--interactive", "skep-web", "cat"], input: String(repeating: "0123456789\n", count: 50_000))
      try await n1.engine("run", "--detach", "--name", "box", "skep-web", "sh", "-c", "echo one; echo two; exec sleep 600")
      try await n1.same(["exec", "box", "sh", "-c", "echo $HOSTNAME; exit 3"])
      try await n1.same(["exec", "--interactive", "box", "cat"], input: "to and fro\n")
      try await n1.same(["logs", "--timestamps", "box"])
      // Without the columns that grow older between the two questions.
      try await n1.same(["ps", "--all", "--no-trunc", "--format", "{{.ID}} {{.Image}} {{.Command}} {{.Names}} {{.Labels}}"])
      try await n1.same(["inspect", "box"])
      try await n1.same(["images", "--no-trunc", "--format", "{{.ID}} {{.Repository}} {{.Tag}} {{.Size}}"])
      try await n1.same(["network", "ls", "--no-trunc"])
      try await n1.same(["top", "box", "-o", "pid,ppid,comm"])
      try await n1.same(["rm", "nobody"])
      try await n1.copies()
      try await n1.streams()
      try await n1.images()
    }
  }
}

extension Fixture {
  /// Through skepd and directly: the same status, output and errors.
  fileprivate func same(_ arguments: [String], input: String = "", at location: SourceLocation = #_sourceLocation) async throws {
    let through = try await host.docker(arguments, input: input)
    let direct = try await host.docker(arguments, via: .engine, input: input)
    #expect(through == direct, "docker \(arguments.joined(separator: " "))", sourceLocation: location)
  }

  fileprivate func copies() async throws {
    let (file, back) = ("\(host.directory)/copy", "\(host.directory)/back")
    let data = Data((0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) })
    try data.write(to: URL(fileURLWithPath: file))
    try await docker("cp", file, "box:/tmp/copy")
    try await docker("cp", "box:/tmp/copy", back)
    #expect(FileManager.default.contents(atPath: back) == data)
  }

  fileprivate func streams() async throws {
    #expect(try await docker("stats", "--no-stream", "--format", "{{.Name}}", "box") == "box")
    // Whole seconds: a moment that is over tells the same to both.
    let until = Int(Date().timeIntervalSince1970)
    try await wait("the second is over") { Int(Date().timeIntervalSince1970) > until }
    try await same(["events", "--since", "\(until - 60)", "--until", "\(until)", "--format", "{{json .}}"])
    for arguments in [["logs", "--follow", "talk"], ["attach", "talk"]] {
      try await engine(
        "run", "--detach", "--name", "talk", "skep-web", "sh", "-c", "for i in 1 2 3 4; do sleep 0.3; echo $i; done")
      #expect(try await host.checkedDocker(arguments).lines.suffix(2) == ["3", "4"], "docker \(arguments)")
      try await engine("rm", "--force", "talk")
    }
  }

  fileprivate func images() async throws {
    let file = "\(host.directory)/image.tar"
    let folder = "\(host.directory)/build"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try Data("FROM skep-web\nCOPY said /said\nRUN cat /said\nCMD [\"cat\", \"/said\"]\n".utf8)
      .write(to: URL(fileURLWithPath: "\(folder)/Dockerfile"))
    try Data("built\n".utf8).write(to: URL(fileURLWithPath: "\(folder)/said"))
    let build = host.dockerCommand(["build", "--quiet", "--tag", "built", folder])
    let built = try await Command(
      build.executable, build.arguments, environment: build.environment.merging(["DOCKER_BUILDKIT": "0"]) { $1 }
    ).run()
    #expect(built.succeeded, "\(built.stderr)")
    #expect(try await docker("run", "--rm", "built") == "built")
    try await docker("save", "--output", file, "built")
    try await docker("rmi", "built")
    try await docker("load", "--input", file)
    #expect(try await engine("run", "--rm", "built") == "built")
  }
}
