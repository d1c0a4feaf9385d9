// SPDX-License-Identifier: Apache-2.0

import Foundation
import SocketTestKit
import Testing

@testable import skep

@Suite("skep reads skepd's metrics")
struct MetricsSocketTests {
  private static func page(_ path: String) async throws -> [UInt8] {
    try await withCheckedThrowingContinuation { continuation in
      Thread.detachNewThread { continuation.resume(with: Result { try MetricsSocket(path: path).page() }) }
    }
  }

  @Test("and takes what follows the head, however it comes")
  func page() async throws {
    try await withFolder { folder in
      try await withServer(
        folder + "/m",
        serve: { channel in
          _ = try await channel.read()
          for part in ["HTTP/1.1 200 OK\r\nServer: Skep\r", "\n\r\na 1\n", "\r\n\r\nb 2\n"] {
            try await channel.write(Array(part.utf8))
          }
          await channel.finish()
        }
      ) {
        let page = try await Self.page(folder + "/m")
        #expect(String(decoding: page, as: UTF8.self) == "a 1\n\r\n\r\nb 2\n")
      }
    }
  }

  @Test(
    "and says what is wrong with an answer that is another's",
    arguments: [
      ("HTTP/1.1 404 Not Found\r\n\r\n", "it answers \"HTTP/1.1 404 Not Found\""), ("SSH-2.0-x\r\n", "it answers \"SSH-2.0-x\""),
      ("", "it answers \"\""), ("HTTP/1.1 200 OK\r\nServer: x\r\n", "it answers \"HTTP/1.1 200 OK\""),
    ])
  func strange(answer: String, text: String) {
    let error = #expect(throws: MetricsError.self) { try MetricsSocket.body(of: Array(answer.utf8), "/m") }
    #expect(error?.description == "/m is not skepd's socket for metrics: \(text)")
  }

  @Test("and says that skepd does not run, or that the path cannot be one")
  func nobody() async throws {
    try await withFolder { folder in
      let path = folder + "/m"
      let absent = "skepd does not run here: nobody listens on \(path) (another place is given by --socket)"
      await #expect(performing: { try await Self.page(path) }, throws: { "\($0)" == absent })
      try await withServer(path, serve: { _ in }) {}
      #expect(FileManager.default.fileExists(atPath: path))
      await #expect(performing: { try await Self.page(path) }, throws: { "\($0)" == absent })
      await #expect(
        performing: { try await Self.page("") },
        throws: { "\($0)".hasSuffix("is no path of a socket: it must have 1 to 107 bytes") })
    }
  }
}
