// SPDX-License-Identifier: Apache-2.0

package import ClusterModel
import HTTPWire
import NIOCore

extension EngineClient {
  package func containers(all: Bool, labels: [String]) async throws -> [ContainerSummary] {
    let filters = Self.query(labels.isEmpty ? [:] : ["label": labels])
    return try await decode(
      [ContainerSummary].self, usual("GET", "/containers/json", query: [("all", all ? "1" : "0")] + filters))
  }

  package func container(_ id: String) async throws -> Inspected<Container> {
    try await inspect(usual("GET", "/containers/\(Self.path(id))/json"))
  }

  package func createContainer(name: String, config: JSONValue) async throws -> CreatedContainer {
    try await decode(CreatedContainer.self, slow("POST", "/containers/create", query: [("name", name)], json: config))
  }

  package func startContainer(_ id: String) async throws {
    _ = try await success(slow("POST", "/containers/\(Self.path(id))/start"))
  }

  package func stopContainer(_ id: String, timeout: Int?) async throws {
    let query = timeout.map { [(name: "t", value: String($0))] } ?? []
    var request = slow("POST", "/containers/\(Self.path(id))/stop", query: query)
    // The engine answers when the container has ended; without `timeout` only the container's configuration says how long that is.
    request.timeout = timeout.map { timeouts.slow + .seconds(Int64(min(max(0, $0), Self.century))) }
    _ = try await success(request)
  }

  /// In seconds. A grace period may be longer than what the event loop can count to.
  private static let century = 100 * 365 * 86_400

  package func killContainer(_ id: String, signal: String) async throws {
    _ = try await success(slow("POST", "/containers/\(Self.path(id))/kill", query: [("signal", signal)]))
  }

  package func removeContainer(_ id: String, force: Bool, volumes: Bool) async throws {
    let query = [(name: "force", value: force ? "1" : "0"), (name: "v", value: volumes ? "1" : "0")]
    _ = try await success(slow("DELETE", "/containers/\(Self.path(id))", query: query))
  }

  package func waitContainer(_ id: String) async throws -> ContainerExit {
    var request = usual("POST", "/containers/\(Self.path(id))/wait", query: [("condition", "not-running")])
    request.timeout = nil
    return try await decode(ContainerExit.self, request)
  }

  package func logs(_ id: String, _ options: LogOptions) async throws -> any AsyncSequence<LogFrame, any Error> & Sendable {
    let request = usual("GET", "/containers/\(Self.path(id))/logs", query: options.query)
    return LogFrames(stream: try await stream(request), isTerminal: options.isTerminal)
  }

  package func events(since: String?, until: String?, filters: [String: [String]]) async throws
    -> any AsyncSequence<EngineEvent, any Error> & Sendable
  {
    let times = [("since", since), ("until", until)].compactMap { name, value in value.map { (name: name, value: $0) } }
    let request = usual("GET", "/events", query: times + Self.query(filters))
    return Events(lines: JSONLines(stream: try await stream(request)))
  }

  package func eventLines(query: String) async throws -> EngineEventLines {
    let stream = try await stream(usual("GET", query.isEmpty ? "/events" : "/events?\(query)"))
    return EngineEventLines(contentType: stream.headers["Content-Type"] ?? "application/json", lines: RawLines(stream: stream))
  }
}

extension LogOptions {
  var query: [(name: String, value: String)] {
    let flags = [
      ("stdout", stdout), ("stderr", stderr), ("follow", follow), ("timestamps", timestamps), ("details", details),
    ]
    var items = flags.map { (name: $0.0, value: $0.1 ? "1" : "0") }
    items.append((name: "tail", value: tail.map(String.init) ?? "all"))
    if let since { items.append((name: "since", value: since)) }
    return items
  }
}

struct Events: AsyncSequence, Sendable {
  typealias Element = EngineEvent
  let lines: JSONLines

  struct AsyncIterator: AsyncIteratorProtocol {
    var lines: JSONLines.AsyncIterator

    mutating func next() async throws -> EngineEvent? {
      try await lines.next().map { try EngineClient.decode(EngineEvent.self, $0) }
    }
  }

  func makeAsyncIterator() -> AsyncIterator { AsyncIterator(lines: lines.makeAsyncIterator()) }
}
