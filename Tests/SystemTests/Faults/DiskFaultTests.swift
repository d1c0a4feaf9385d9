// SPDX-License-Identifier: Apache-2.0

import Foundation
import PlaygroundKit
import Testing

extension SystemTests {
  @Test("A full disk: writes are refused with the reason and not half done, all else goes on, and space alone makes it well")
  func diskFull() async throws {
    try await Fixture.with(swarm: false) { n1 in
      try await n1.stateOnSmallDisk()
      try await n1.docker("swarm", "init")
      try await n1.create("web", replicas: 2)
      let before = try await n1.tasks("web")
      try await n1.fillDisk()
      let refusal = try await n1.refusal("service", "create", "--quiet", "--detach", "--name", "more", "skep-web")
      #expect(refusal.contains("\(n1.stateDirectory)/cluster.db cannot be written: database or disk is full"), "\(refusal)")
      #expect(
        try await n1.api(
          "POST", "/services/create", body: #"{"Name":"more","TaskTemplate":{"ContainerSpec":{"Image":"skep-web"}}}"#
        ).status == 500)
      #expect(try await n1.docker("service", "ls", "--format", "{{.Name}}") == "web")
      #expect(try await n1.get() != nil)
      // A death cannot be written down, so it is not acted upon; traffic avoids the dead at once all the same.
      let victim = try #require(before.first)
      try await n1.host.crash(container: victim.container)
      try await n1.wait("requests go to the one that is left") {
        let report = try await n1.client.requests(n1.url(), count: 20, parallel: 1)
        return report.failures == [:] && report.answers.count == 1
      }
      try await n1.wait("the log says so") { n1.log.contains("states of tasks cannot be recorded") }
      _ = try await n1.host.exec(["rm", "\(n1.stateDirectory)/ballast"])
      try await n1.wait("the death is recorded") { n1.log.contains("states of tasks are recorded again") }
      try await n1.settled("web", 2)
      #expect(try await n1.tasks("web").filter(\.isRunning).contains { $0.id == before[1].id }, "the other was left alone")
      try await n1.docker("service", "create", "--quiet", "--detach", "--name", "more", "skep-web")
      try await n1.settled("more", 1)

      // A restart on a full disk, and leaving on one.
      try await n1.fillDisk()
      try await n1.host.kill(.skepd)
      try await n1.host.start(.skepd)
      #expect(try await n1.docker("service", "ls", "--quiet").split(separator: "\n").count == 2)
      try await n1.answering(2)
      try await n1.docker("swarm", "leave", "--force")
      #expect(try await n1.containers().isEmpty)
      try await n1.fillDisk()
      #expect(try await n1.refusal("swarm", "init").contains("No space left on device"))
      #expect(try await n1.swarmState() == "inactive")
      _ = try await n1.host.exec(["rm", "\(n1.stateDirectory)/ballast"])
      #expect(try await n1.host.exec(["ls", n1.stateDirectory]).lines == ["lock"])
      try await n1.docker("swarm", "init")
    }
  }

  @Test("A state directory on a read-only file system: skepd does not start, and says which file it cannot open")
  func readOnlyDisk() async throws {
    try await Fixture.with(swarm: false) { n1 in
      try await n1.host.kill(.skepd)
      _ = try await n1.host.exec(["mkdir", "-p", "/run/ro"])
      #expect(try await n1.host.exec(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", "/run/ro"]).succeeded)
      let skepd = "\(try #require(n1.playground.configuration.binaries))/skepd"
      let result = try await n1.host.exec([
        skepd, "--engine", "unix://\(n1.host.engineSocket)", "--listen", "unix:///run/other.sock", "--state-dir", "/run/ro",
      ])
      #expect(result.status == 1)
      #expect(result.stderr.contains("/run/ro/lock cannot be opened: Read-only file system"), "\(result.stderr)")
    }
  }
}

extension Fixture {
  /// The state directory becomes a file system of its own of 2 MiB.
  fileprivate func stateOnSmallDisk() async throws {
    try await host.stop(.skepd)
    let mount = try await host.exec(["mount", "-t", "tmpfs", "-o", "size=2m,mode=700", "tmpfs", stateDirectory])
    #expect(mount.succeeded, "\(mount)")
    try await host.start()
  }

  /// Takes every block that is left, also within the last file.
  fileprivate func fillDisk() async throws {
    _ = try await host.exec(["dd", "if=/dev/zero", "of=\(stateDirectory)/ballast", "bs=1k"])
    let free = try await host.exec(["df", "--output=avail", stateDirectory])
    #expect(free.lines.last?.contains(" 0") == true || free.lines.last == "0", "\(free)")
  }
}
