// SPDX-License-Identifier: Apache-2.0

import HTTPWire
import NIOCore
import Synchronization

/// Sends requests to the engine behind one unix socket, each on a connection of its own.
struct EngineSocket: Sendable {
  let path: String

  /// Returns when the head of the answer is there; the rest is up to the caller. `request.timeout` ends here.
  func stream(_ request: EngineRequest, prefix: String) async throws -> EngineStream {
    let (stream, watch) = try await open(request, prefix: prefix)
    watch?.cancel()
    return stream
  }

  /// The whole answer, whatever its status.
  func response(_ request: EngineRequest, prefix: String) async throws -> EngineResponse {
    let (stream, watch) = try await open(request, prefix: prefix)
    defer { watch?.cancel() }
    do {
      let body = try await stream.collect(limit: request.limit)
      return EngineResponse(status: stream.status, headers: stream.headers, body: body)
    } catch {
      throw watch?.error ?? error
    }
  }

  private func open(_ request: EngineRequest, prefix: String) async throws -> (EngineStream, Watch?) {
    let channel = try await connect()
    let watch = request.timeout.map { Watch(channel, $0, "\(request.method) \(request.path)") }
    do {
      try await send(request, prefix, on: channel)
      return (try await readHead(channel, request.method), watch)
    } catch {
      watch?.cancel()
      channel.close()
      throw try watch?.error ?? EngineError(reading: error)
    }
  }

  private func connect() async throws -> ByteChannel {
    do {
      return try await ByteChannel.connect(toUnixSocket: path)
    } catch {
      let reason = ByteChannel.connectFailure(error)
      throw EngineError(.unreachable, "cannot reach the Docker Engine at unix://\(path): \(reason)", cause: error)
    }
  }

  private func send(_ request: EngineRequest, _ prefix: String, on channel: ByteChannel) async throws {
    do {
      try await channel.write(request.head(prefix: prefix).bytes + request.body)
    } catch let error as CancellationError {
      throw error
    } catch {
      // The engine may have answered without taking the whole body: what it said is the better error.
    }
  }

  private func readHead(_ channel: ByteChannel, _ method: String) async throws -> EngineStream {
    var reader = ByteReader(channel)
    while let bytes = try await reader.head(limit: 64 * 1_024) {
      let head = try HeadParser.response(bytes)
      // 100 Continue and its like come before the answer.
      if head.status / 100 == 1 { continue }
      let decoder = try BodyDecoder(response: head, to: method)
      return EngineStream(status: head.status, headers: head.headers, reader: reader, decoder: decoder)
    }
    throw EngineError(.connectionLost, "the engine closed the connection without an answer")
  }
}

/// Closes a connection when its time is over, and remembers that it did.
private final class Watch: Sendable {
  private let expired = Atomic(false)
  private let timer = Mutex<Scheduled<Void>?>(nil)
  private let message: String

  init(_ channel: ByteChannel, _ limit: TimeAmount, _ what: String) {
    message = "\(what): no answer from the engine within \(limit.nanoseconds / 1_000_000) ms"
    let scheduled = channel.closeAfter(limit) { [weak self] in self?.expired.store(true, ordering: .sequentiallyConsistent) }
    timer.withLock { $0 = scheduled }
  }

  var error: EngineError? {
    expired.load(ordering: .sequentiallyConsistent) ? EngineError(.timeout, message) : nil
  }

  func cancel() { timer.withLock { $0?.cancel() } }
}
