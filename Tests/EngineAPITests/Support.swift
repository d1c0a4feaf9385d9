// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import EngineAPI
import HTTPWire
import Logging
import SocketTestKit

/// Answers below `/ours`.
struct TestResponder: Responder {
  var routing: @Sendable (RequestLine) -> Route
  var answering: @Sendable (Request) async throws -> Response

  init(
    _ answering: @escaping @Sendable (Request) async throws -> Response = { _ in .json(["ok": true]) },
    routing: @escaping @Sendable (RequestLine) -> Route = { $0.path.hasPrefix("/ours") ? .ours : .pipe }
  ) {
    self.routing = routing
    self.answering = answering
  }

  func route(_ line: RequestLine) -> Route { routing(line) }
  func respond(to request: Request) async throws -> Response { try await answering(request) }
}

/// A front with a fake engine behind it; `body` gets the path of the front's socket.
func withFront(
  _ responder: TestResponder = TestResponder(), settings: FrontSettings = FrontSettings(),
  engine: @escaping @Sendable (ByteChannel) async throws -> Void = { _ in },
  _ body: @escaping @Sendable (String) async throws -> Void
) async throws {
  try await withFolder { folder in
    try await withServer(folder + "/engine.sock", serve: engine) {
      try await runFront(responder, settings: settings, folder: folder, body)
    }
  }
}

func runFront(
  _ responder: TestResponder, settings: FrontSettings = FrontSettings(), folder: String,
  _ body: @escaping @Sendable (String) async throws -> Void
) async throws {
  let path = folder + "/front.sock"
  let front = HTTPFront(
    listen: [.unix(path: path, group: nil)], engineSocket: folder + "/engine.sock", responder: responder, settings: settings,
    logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
  let (isReady, ready) = AsyncStream.makeStream(of: Never.self)
  try await withThrowingTaskGroup(of: Void.self) { group in
    group.addTask { try await front.run { ready.finish() } }
    for await _ in isReady {}
    try await within { try await body(path) }
    group.cancelAll()
    try await group.waitForAll()
  }
}
