// SPDX-License-Identifier: Apache-2.0

import PlaygroundKit
import Testing

extension SystemTests {
  @Test("A host that is rebooted in order: each task is replaced once, and all answer again", arguments: [false, true])
  func reboot(liveRestore: Bool) async throws {
    try await Fixture.with(.defaults.with { $0.engineArguments = liveRestore ? ["--live-restore"] : [] }) { n1 in
      try await n1.create("web")
      try await n1.create("idle", replicas: 1, port: nil)
      let before = (try await n1.tasks("web"), try await n1.tasks("idle"))
      try await n1.host.stop(.all)
      try await n1.host.start()
      try await n1.settled("web", 3)
      try await n1.settled("idle", 1)
      try await n1.expectReplacedOnce(before.0)
      try await n1.expectReplacedOnce(before.1)
      try await n1.answering(3)
    }
  }
}
