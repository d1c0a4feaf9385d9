// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import HTTPWire
package import NIOCore
import Synchronization

/// The Docker Engine behind a unix socket of this host.
package final class EngineClient: Sendable {
  package struct Timeouts: Sendable {
    package var usual = TimeAmount.seconds(30)
    /// Creating, starting and removing may wait for storage and network drivers.
    package var slow = TimeAmount.minutes(2)
    package var pull = TimeAmount.minutes(30)
    package init() {}
  }

  /// The newest API whose answers we know; engine 20.10 speaks the oldest.
  static let newest = "1.50"
  static let oldest = "1.41"

  let timeouts: Timeouts
  private let socket: EngineSocket
  /// Nil until asked, and again after the engine was away: it may come back as another version.
  private let negotiated = Mutex<EngineGreeting?>(nil)
  private let lastNegotiated = Mutex<EngineGreeting?>(nil)

  package init(socketPath: String, timeouts: Timeouts = Timeouts()) {
    socket = EngineSocket(path: socketPath)
    self.timeouts = timeouts
  }

  package func greeting() async throws -> EngineGreeting {
    if let known = negotiated.withLock({ $0 }) { return known }
    do {
      let ping = try Self.checked(try await socket.response(EngineRequest("GET", "/_ping", timeout: timeouts.usual), prefix: ""))
      let greeting = EngineGreeting(
        apiVersion: try Self.common(with: ping.headers["Api-Version"] ?? ""),
        isExperimental: ping.headers["Docker-Experimental"] == "true", builderVersion: ping.headers["Builder-Version"] ?? "")
      negotiated.withLock { $0 = greeting }
      lastNegotiated.withLock { $0 = greeting }
      return greeting
    } catch let error as EngineError where error.code == .unreachable {
      // While it is away the best guess is that it comes back as it was.
      guard let last = lastNegotiated.withLock({ $0 }) else { throw error }
      return last
    }
  }

  /// A request below the negotiated version, whatever its status.
  package func request(_ request: EngineRequest) async throws -> EngineResponse {
    try await forgettingVersion { try await socket.response(request, prefix: try await prefix(for: request)) }
  }

  /// The same for an answer that is read as it comes; a status of 400 or more is thrown.
  package func stream(_ request: EngineRequest) async throws -> EngineStream {
    try await forgettingVersion {
      let stream = try await socket.stream(request, prefix: try await prefix(for: request))
      guard stream.status >= 400 else { return stream }
      throw EngineError(status: stream.status, message: Self.message(try await stream.collect(limit: 1_024 * 1_024)))
    }
  }

  private func prefix(for request: EngineRequest) async throws -> String {
    let engines = try await apiVersion()
    guard let wanted = request.version, Self.minor(wanted) < Self.minor(engines) else { return "/v\(engines)" }
    return "/v\(wanted)"
  }

  /// The part after the point, of a version that has been checked.
  private static func minor(_ version: String) -> Int { version.split(separator: ".").last.flatMap { Int($0) } ?? 0 }

  /// The answer to a request that succeeded.
  func success(_ request: EngineRequest) async throws -> EngineResponse {
    try Self.checked(try await self.request(request))
  }

  func json(_ request: EngineRequest) async throws -> JSONValue {
    try Self.json(try await success(request).body)
  }

  func decode<Value: Decodable>(_ type: Value.Type, _ request: EngineRequest) async throws -> Value {
    try Self.decode(type, try await json(request))
  }

  static func json(_ bytes: [UInt8]) throws -> JSONValue {
    do {
      return try JSONValue(parsing: bytes)
    } catch {
      throw EngineError(.malformed, "the engine's answer is not JSON: \(error.message)", cause: error)
    }
  }

  static func decode<Value: Decodable>(_ type: Value.Type, _ json: JSONValue) throws -> Value {
    do {
      return try GoJSONDecoder().decode(type, from: json)
    } catch {
      throw EngineError(.malformed, "the engine's answer is not a \(type): \(error)", cause: error)
    }
  }

  /// The lower of the engine's version and ours.
  static func common(with engine: String) throws -> String {
    let parts = engine.split(separator: ".").map { Int($0) ?? -1 }
    guard parts.count == 2, parts[0] == 1, parts[1] >= 0 else {
      throw EngineError(.malformed, "the engine announces no API version we understand: \"\(engine)\"")
    }
    guard parts[1] >= 41 else {
      throw EngineError(.incompatible, "the engine speaks API \(engine); Skep needs \(oldest) (Docker Engine 20.10) or newer")
    }
    return parts[1] < 50 ? engine : newest
  }

  private static func checked(_ response: EngineResponse) throws -> EngineResponse {
    guard response.status >= 400 else { return response }
    throw EngineError(status: response.status, message: message(response.body))
  }

  private static func message(_ body: [UInt8]) -> String {
    if let text = try? JSONValue(parsing: body)["message"]?.stringValue { return text }
    return String(decoding: body.prefix(4_096), as: UTF8.self)
  }

  private func forgettingVersion<Result>(_ work: () async throws -> Result) async throws -> Result {
    do {
      return try await work()
    } catch let error as EngineError where error.code == .unreachable || error.code == .connectionLost {
      negotiated.withLock { $0 = nil }
      throw error
    }
  }
}
