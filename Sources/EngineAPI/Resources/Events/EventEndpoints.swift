// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import EngineClient
import HTTPWire

extension SwarmAPI {
  /// The engine's events with the swarm's among them, in a swarm or not: a client may listen when one begins, and when it is left.
  func events(_ call: Call) async throws -> Response {
    let rawQuery = call.request.head.target.split(separator: "?", maxSplits: 1).dropFirst().first ?? ""
    // First, because what the engine refuses is refused in its words.
    let stream = try await engineEvents(String(rawQuery))
    let filter = try EventFilter(call.query["filters"])
    let window = EventWindow(since: call.query["since"], until: call.query["until"])
    let time = now()
    let feed = EventFeed(
      stream: stream, askPast: askPast(window, call.query["filters"], time), isOver: window.isOver(at: time),
      ours: eventLog.listen(window, filter))
    return Response(
      headers: ["Content-Type": stream.contentType], body: .stream(ProducedStream { await feed.run(into: $0) }), isEndless: true)
  }

  private func engineEvents(_ query: String) async throws -> EngineEventLines {
    do {
      return try await engine.eventLines(query: query)
    } catch let error as EngineError {
      guard let status = error.status else { throw error }
      throw APIError(status: status, error.message, cause: error)
    }
  }

  private func askPast(
    _ window: EventWindow, _ filters: String?, _ time: Timestamp
  ) -> (@Sendable () async throws -> EngineEventLines)? {
    guard let past = window.pastQuery(at: time) else { return nil }
    let items = [("since", past.since), ("until", past.until), ("filters", filters)]
    let query = items.compactMap { name, value in value.map { "\(name)=\(EngineRequest.escaped($0))" } }.joined(separator: "&")
    return { try await engine.eventLines(query: query) }
  }
}
