// SPDX-License-Identifier: Apache-2.0

import ClusterModel
package import ClusterRPC
import EngineClient
import NIOCore

extension NodeAgent: TaskLogSource {
  package func logs(
    of task: LoggedTask, options: ClusterRPC.LogOptions
  ) async throws -> AsyncThrowingStream<LogLine, any Error> {
    let container: Inspected<Container>
    do { container = try await engine.container(controllers[task.id]?.container?.id ?? task.name) } catch let error as EngineError
      where error.code == .notFound
    {
      // That of an ended task may have been removed by hand.
      return .empty
    }
    // A name that another's container has by now.
    guard container.config.labels[Labels.cluster] == clusterID else { return .empty }
    let frames = try await engine.taskLogs(
      container, stdout: options.stdout, stderr: options.stderr, follow: options.follow, timestamps: options.timestamps,
      details: options.details, since: options.since, tail: options.tail)
    // Each piece of a long line comes with what stands before the line.
    let prefix = container.config.tty ? 0 : (options.timestamps ? 1 : 0) + (options.details ? 1 : 0)
    let reader = LogReader(frames: frames, splitter: LogSplitter(taskID: task.id, prefixWords: prefix))
    // Unfolding asks for the next line when the last was taken: nothing piles up here.
    return AsyncThrowingStream { try await reader.next() }
  }
}

extension AsyncThrowingStream<LogLine, any Error> {
  fileprivate static var empty: Self { Self { nil } }
}

/// Reads lines as they are asked for.
private actor LogReader {
  private var iterator: any AsyncIteratorProtocol<LogFrame, any Error>
  private var splitter: LogSplitter
  private var isOver = false

  init(frames: any AsyncSequence<LogFrame, any Error> & Sendable, splitter: LogSplitter) {
    iterator = frames.makeAsyncIterator()
    self.splitter = splitter
  }

  func next() async throws -> LogLine? {
    while true {
      if let line = splitter.next() { return line }
      if isOver { return nil }
      var current = iterator
      guard let frame = try await current.next(isolation: self) else {
        isOver = true
        splitter.finish()
        continue
      }
      iterator = current
      splitter.append(frame.source.stream, Array(frame.bytes.readableBytesView))
    }
  }
}

extension LogFrame.Source {
  fileprivate var stream: LogLine.Stream {
    switch self {
    case .input, .output: .stdout
    case .error: .stderr
    case .system: .system
    }
  }
}
