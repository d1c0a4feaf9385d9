// SPDX-License-Identifier: Apache-2.0

import ClusterRPC

/// The body of an answer that several producers write. To be iterated once; the producing ends with the iterator or its task.
struct ProducedStream: AsyncSequence, Sendable {
  typealias Element = [UInt8]
  typealias Failure = any Error

  /// Parts between the producers and the client; a client that reads slowly slows the producers down.
  static let capacity = 64

  /// Returns once it has finished the queue, or the queue takes nothing more.
  let produce: @Sendable (BoundedQueue<[UInt8]>) async -> Void

  func makeAsyncIterator() -> Iterator { Iterator(produce) }

  final class Iterator: AsyncIteratorProtocol {
    private let queue = BoundedQueue<[UInt8]>(capacity: ProducedStream.capacity)
    private let producing: Task<Void, Never>

    /// A task of its own: the producing goes on between two calls of `next`. It ends with this object.
    init(_ produce: @escaping @Sendable (BoundedQueue<[UInt8]>) async -> Void) {
      producing = Task { [queue] in await produce(queue) }
    }

    deinit { Self.end(queue, producing) }

    func next() async throws -> [UInt8]? {
      let (queue, producing) = (queue, producing)
      let next = await withTaskCancellationHandler {
        await queue.next()
      } onCancel: {
        Self.end(queue, producing)
      }
      if next == nil, let failure = queue.failure { throw failure }
      return next
    }

    private static func end(_ queue: BoundedQueue<[UInt8]>, _ producing: Task<Void, Never>) {
      queue.close()
      producing.cancel()
    }
  }
}
