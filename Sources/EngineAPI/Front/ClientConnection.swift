// SPDX-License-Identifier: Apache-2.0

import HTTPWire
import Logging
import NIOCore

/// One client's connection: a row of requests that we answer, or, as the last, one that is piped.
///
/// Heads are read with our own parser off the raw socket, not with an HTTP library: what follows the head of a piped request must
/// stay bytes (`101 UPGRADED`, the older 200 hijack, half-closes), and a library's codec in the pipeline would own them.
struct ClientConnection {
  let channel: ByteChannel
  let ticket: ConnectionRegistry.Ticket
  let registry: ConnectionRegistry
  let responder: any Responder
  let engineSocket: String
  let settings: FrontSettings
  let logger: Logger

  func run() async {
    var reader = ByteReader(channel)
    do {
      var first = true
      while registry.enter(.idle, ticket), let head = try await nextHead(&reader, first: first) {
        first = false
        guard try await serve(head, &reader) else { break }
      }
    } catch let error as HTTPSyntaxError {
      try? await refuse(error.status, error.message)
    } catch {
      logger.debug("client connection ended", metadata: ["error": "\(error)"])
    }
    await channel.lingeringClose()
  }

  private func nextHead(_ reader: inout ByteReader, first: Bool) async throws -> RequestHead? {
    var timer = channel.closeAfter(first ? settings.headTimeout : settings.idleTimeout)
    defer { timer.cancel() }
    let bytes = try await reader.head(limit: settings.maximumHead) {
      timer.cancel()
      timer = channel.closeAfter(settings.headTimeout)
    }
    return try bytes.map { try HeadParser.request($0) }
  }

  /// True when the connection may carry another request.
  private func serve(_ head: RequestHead, _ reader: inout ByteReader) async throws -> Bool {
    let line = try RequestLine(head)
    if let version = line.version, version > .newest {
      try await refuse(
        400, "client version \(version) is too new. Maximum supported API version is \(APIVersion.newest)", to: head)
      return false
    }
    let route = responder.route(line)
    if case .pipe = route {
      await pipe(head, reader.takeRest() ?? ByteBuffer())
      return false
    }
    if let version = line.version, version < .oldest {
      let old = "client version \(version) is too old. Minimum supported API version is \(APIVersion.oldest)"
      try await refuse(400, old + ", please upgrade your client to a newer version", to: head)
      return false
    }
    guard case .rewrite(let change) = route else { return try await answer(head, line, &reader) }
    return try await rewrite(head, line, change, &reader)
  }

  // MARK: ours

  private func answer(_ head: RequestHead, _ line: RequestLine, _ reader: inout ByteReader) async throws -> Bool {
    guard registry.enter(.answering, ticket) else { return false }
    let share = registry.bodies.share()
    defer { share.release() }
    let request = Request(head: head, line: line, body: try await body(of: head, &reader, share))
    let timer = settings.answerTimeout.map { channel.closeAfter($0) }
    defer { timer?.cancel() }
    return try await unlessClientLeaves { try await send(await respond(to: request), to: head) }
  }

  private func respond(to request: Request) async -> Response {
    do {
      return try await responder.respond(to: request)
    } catch {
      return Self.response(for: error)
    }
  }

  private static func response(for error: any Error) -> Response {
    guard let error = error as? APIError else { return .error(500, String(describing: error)) }
    return .error(error.status, error.message)
  }

  private func body(of head: RequestHead, _ reader: inout ByteReader, _ share: BodyBudget.Share) async throws -> [UInt8] {
    var decoder = try BodyDecoder(request: head)
    if decoder.isDone { return [] }
    // An announced length over the limit is refused before the client is told to go on.
    let isRefused = (decoder.announcedLength ?? 0) > settings.maximumBody
    if head.expectsContinue, !isRefused { try await channel.write(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)) }
    var timer = channel.closeAfter(settings.bodyTimeout)
    defer { timer.cancel() }
    return try await reader.body(&decoder, limit: settings.maximumBody) { count in
      timer.cancel()
      timer = channel.closeAfter(settings.bodyTimeout)
      try share.take(count)
    }
  }

  private func send(_ response: Response, to head: RequestHead) async throws -> Bool {
    if response.isEndless, !registry.enter(.piping, ticket) { return false }
    let keepsAlive = head.keepsAlive && !registry.isDraining
    let writer = ResponseWriter(
      channel: channel, server: settings.server, announcement: settings.announces ? await responder.announcement : nil,
      keepsAlive: keepsAlive)
    return try await writer.send(response, to: head)
  }

  private func refuse(_ status: Int, _ message: String, to head: RequestHead = RequestHead(method: "GET", target: "/"))
    async throws
  {
    let writer = ResponseWriter(
      channel: channel, server: settings.server, announcement: settings.announces ? await responder.announcement : nil,
      keepsAlive: false)
    _ = try await writer.send(.error(status, message), to: head)
  }

  /// Runs `work`, and cancels it when the client closes its connection.
  private func unlessClientLeaves(_ work: @escaping @Sendable () async throws -> Bool) async throws -> Bool {
    try await withThrowingTaskGroup(of: Bool?.self) { group in
      group.addTask { try await work() }
      group.addTask {
        await channel.closed()
        return nil
      }
      defer { group.cancelAll() }
      return try await group.next() == true
    }
  }

  // MARK: the engine's

  private func rewrite(
    _ head: RequestHead, _ line: RequestLine, _ change: @escaping @Sendable (Request) async throws -> Rewritten,
    _ reader: inout ByteReader
  ) async throws -> Bool {
    guard registry.enter(.answering, ticket) else { return false }
    let share = registry.bodies.share()
    defer { share.release() }
    let request = Request(head: head, line: line, body: try await body(of: head, &reader, share))
    switch await Self.result(of: change, request) {
    case .answer(let response): return try await unlessClientLeaves { try await send(response, to: head) }
    case .forward(var newHead, let body):
      newHead.headers["Transfer-Encoding"] = nil
      newHead.headers["Expect"] = nil
      newHead.headers["Content-Length"] = String(body.count)
      var bytes = ByteBuffer(bytes: body)
      if var rest = reader.takeRest(), newHead.wantsUpgrade { bytes.writeBuffer(&rest) }
      await pipe(newHead, bytes)
      return false
    }
  }

  private static func result(of change: (Request) async throws -> Rewritten, _ request: Request) async -> Rewritten {
    do {
      return try await change(request)
    } catch {
      return .answer(response(for: error))
    }
  }

  /// Gives the connection to the engine. `Connection: close` makes this exchange the connection's last, so nobody has to find
  /// where a message ends: whatever comes is passed on until a side ends it. An upgrade keeps its header, and never returns to HTTP.
  private func pipe(_ head: RequestHead, _ behind: ByteBuffer) async {
    guard registry.enter(.piping, ticket) else { return }
    var head = head
    if !head.wantsUpgrade { head.headers["Connection"] = "close" }
    var first = ByteBuffer(bytes: head.bytes)
    first.writeImmutableBuffer(behind)
    do {
      let engine = try await ByteChannel.connect(toUnixSocket: engineSocket)
      await Pipe(client: channel, engine: engine).run(first: first)
    } catch {
      let reason = ByteChannel.connectFailure(error)
      logger.warning("engine unreachable", metadata: ["socket": "\(engineSocket)", "error": "\(reason)"])
      try? await refuse(503, "Skep cannot reach the Docker Engine at unix://\(engineSocket): \(reason)", to: head)
    }
  }
}
