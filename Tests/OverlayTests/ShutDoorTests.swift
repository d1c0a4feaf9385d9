// SPDX-License-Identifier: Apache-2.0

import NetworkTestKit
import Testing

@testable import Overlay

extension OffloadTests {
  @Test("a container that is about to stop keeps its connections, and answers no new ones but its own")
  func shutDoor() async throws {
    try await inNamespaceOfItsOwn {
      let pair = try ContainerPair()
      let client = try pair.connect("10.0.1.5")
      let server = try #require(pair.arrival()).socket
      try ShutDoor.shut(pair.servers)
      // Twice: a second look finds it shut.
      try ShutDoor.shut(pair.servers)
      #expect(client.send() == 1)
      #expect(server.receive() == 1)
      #expect(throws: (any Error).self) { try pair.connect("10.0.1.5") }
      #expect(pair.arrival() == nil)
      _ = try TestNetwork.connect("10.0.1.5", in: pair.servers)
      #expect(pair.arrival()?.endpoint == 5)
    }
  }
}
