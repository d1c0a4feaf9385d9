// SPDX-License-Identifier: Apache-2.0

import HTTPWire
import NIOCore
import SocketTestKit
import Testing

@Suite("A socket read by pulling")
struct ByteChannelTests {
  @Test("a cancelled read loses nothing and leaves the connection open")
  func cancelledRead() async throws {
    try await withFolder { folder in
      let go = Flag()
      try await withServer(folder + "/s") { channel in
        try await eventually { go.isSet }
        try await channel.write(Array("later".utf8))
        await channel.closed()
      } _: {
        let channel = try await ByteChannel.connect(toUnixSocket: folder + "/s")
        let reading = Task { try await channel.read() }
        reading.cancel()
        await #expect(throws: CancellationError.self) { try await reading.value }
        go.set()
        #expect(try await within { try await channel.read() } == ByteBuffer(string: "later"))
      }
    }
  }

  @Test("bytes that came before a close are read after it")
  func closeKeepsBytes() async throws {
    try await withFolder { folder in
      try await withServer(folder + "/s") { channel in
        try await channel.write([UInt8](repeating: 1, count: 100_000))
      } _: {
        let channel = try await ByteChannel.connect(toUnixSocket: folder + "/s")
        await channel.closed()
        var count = 0
        while let part = try await channel.read() { count += part.readableBytes }
        #expect(count == 100_000)
      }
    }
  }

  @Test("waiting for the close can be cancelled, and ends at once on a closed connection")
  func closed() async throws {
    try await withFolder { folder in
      try await withServer(folder + "/s") {
        await $0.closed()
      } _: {
        let channel = try await ByteChannel.connect(toUnixSocket: folder + "/s")
        let waiting = Task { await channel.closed() }
        waiting.cancel()
        try await within { await waiting.value }
        channel.close()
        try await within { await channel.closed() }
        try await within { await channel.closed() }
      }
    }
  }

  @Test("dropping the last reference closes the connection")
  func dropped() async throws {
    try await withFolder { folder in
      let ended = Flag()
      try await withServer(folder + "/s") { channel in
        await channel.closed()
        ended.set()
      } _: {
        _ = try await ByteChannel.connect(toUnixSocket: folder + "/s")
        try await eventually { ended.isSet }
      }
    }
  }
}
