// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import HTTPWire

/// One request on its way through a handler.
struct Call: Sendable {
  let request: Request
  /// What stands for `{id}` in the route's pattern; empty when the pattern has none.
  let id: String

  var query: Query { request.query }
  var version: APIVersion { request.line.effectiveVersion }

  /// The JSON body by the engine's rules; an absent one is an object without members.
  func json() throws -> JSONValue {
    let type = request.headers["Content-Type"] ?? ""
    if type.isEmpty, request.body.isEmpty, !isChunked { return .object(JSONObject()) }
    try Self.checkType(type)
    if request.body.isEmpty {
      guard isChunked else { return .object(JSONObject()) }
      throw APIError.badRequest("invalid JSON: got EOF while reading request body")
    }
    do {
      return try JSONValue(parsing: request.body)
    } catch {
      switch error.message {
      case "unexpected content after JSON": throw APIError.badRequest(error.message)
      case "EOF": throw APIError.badRequest("invalid JSON: got EOF while reading request body")
      default: throw APIError.badRequest("invalid JSON: \(error.message)")
      }
    }
  }

  func decode<T: Decodable>(_ type: T.Type) throws -> T { try GoJSONDecoder().decode(type, from: try json()) }

  /// `?version=N`, which every update must carry.
  func objectVersion(of kind: String) throws -> UInt64 {
    let raw = query["version"] ?? ""
    do { return try GoParse.uint64(raw) } catch { throw APIError.badRequest("invalid \(kind) version '\(raw)': \(error)") }
  }

  /// A flag that must be one of Go's words for a boolean; absent is false. Some endpoints give Go's own reason as well.
  func strictFlag(_ name: String, withReason: Bool = false) throws -> Bool {
    guard let text = query[name], !text.isEmpty else { return false }
    do { return try GoParse.bool(text) } catch {
      throw APIError.badRequest("invalid value for \(name): \(text)" + (withReason ? ": \(error)" : ""))
    }
  }

  private var isChunked: Bool { request.headers.has(token: "chunked", in: "Transfer-Encoding") }

  private static func checkType(_ type: String) throws {
    let media = type.prefix { $0 != ";" }.lowercased().filter { $0 != " " }
    if media.isEmpty { throw APIError.badRequest("malformed Content-Type header (\(type)): mime: no media type") }
    guard media == "application/json" else {
      throw APIError.badRequest("unsupported Content-Type header (\(type)): must be 'application/json'")
    }
  }
}
