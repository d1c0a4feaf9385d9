// SPDX-License-Identifier: Apache-2.0

/// The body of a logs answer. To be iterated once; the collecting ends with the iterator or its task.
struct LogStream: AsyncSequence, Sendable {
  typealias Element = [UInt8]
  typealias Failure = any Error

  let collector: LogCollector

  /// Lines between the tasks' logs and the client; a client that reads slowly slows the engines down.
  static let capacity = 64

  func makeAsyncIterator() -> Iterator { Iterator(collector) }

  final class Iterator: AsyncIteratorProtocol {
    private let queue = BoundedQueue<[UInt8]>(capacity: LogStream.capacity)
    private let collecting: Task<Void, Never>

    /// A task of its own: the collecting goes on between two calls of `next`. It ends with this object.
    init(_ collector: LogCollector) {
      collecting = Task { [queue] in await collector.run(into: queue) }
    }

    deinit { Self.end(queue, collecting) }

    func next() async throws -> [UInt8]? {
      let (queue, collecting) = (queue, collecting)
      return await withTaskCancellationHandler {
        await queue.next()
      } onCancel: {
        Self.end(queue, collecting)
      }
    }

    private static func end(_ queue: BoundedQueue<[UInt8]>, _ collecting: Task<Void, Never>) {
      queue.close()
      collecting.cancel()
    }
  }
}
