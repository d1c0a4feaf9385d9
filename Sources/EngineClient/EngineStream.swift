// SPDX-License-Identifier: Apache-2.0

package import HTTPWire
package import NIOCore

/// An answer that is read as it comes: the next part is taken off the socket when it is asked for. To be iterated once; dropping the
/// stream and its iterator closes the connection. Ends with `EngineError.connectionLost` when the connection does first.
package struct EngineStream: AsyncSequence, Sendable {
  package typealias Element = ByteBuffer

  package let status: Int
  package let headers: HTTPHeaders
  let reader: ByteReader
  let decoder: BodyDecoder

  package struct AsyncIterator: AsyncIteratorProtocol {
    fileprivate var reader: ByteReader
    fileprivate var decoder: BodyDecoder

    package mutating func next() async throws -> ByteBuffer? {
      do {
        return try await reader.next(&decoder)
      } catch {
        throw try EngineError(reading: error)
      }
    }
  }

  package func makeAsyncIterator() -> AsyncIterator {
    AsyncIterator(reader: reader, decoder: decoder)
  }

  /// The whole body, at most `limit` bytes.
  func collect(limit: Int) async throws -> [UInt8] {
    var (reader, decoder) = (reader, decoder)
    do {
      return try await reader.body(&decoder, limit: limit)
    } catch {
      throw try EngineError(reading: error)
    }
  }
}

extension EngineError {
  /// What went wrong while an answer was being read. A cancellation stays one.
  init(reading error: any Error) throws {
    switch error {
    case is CancellationError: throw error
    case let error as EngineError: self = error
    case let error as HTTPSyntaxError where error.status == 413:
      self.init(.tooLarge, "the engine's answer is too large", cause: error)
    case let error as HTTPSyntaxError where error.isTruncation:
      self.init(.connectionLost, "the engine closed the connection before the end of its answer", cause: error)
    case let error as HTTPSyntaxError: self.init(.malformed, "the engine's answer is not HTTP: \(error.message)", cause: error)
    default: self.init(.connectionLost, "the connection to the engine was lost: \(error)", cause: error)
    }
  }
}
