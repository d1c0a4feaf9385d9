// SPDX-License-Identifier: Apache-2.0

package import ClusterModel
package import HTTPWire
package import NIOCore

/// One request to the engine.
package struct EngineRequest: Sendable {
  package var method: String
  /// Without the version prefix; already percent-encoded (`EngineRequest.escaped`).
  package var path: String
  package var query: [(name: String, value: String)]
  package var headers: HTTPHeaders
  package var body: [UInt8]
  /// To the end of the answer; for streams, to the end of its head. Nil waits until cancelled.
  package var timeout: TimeAmount?
  /// The API version to ask in; nil, or one above the engine's, is the engine's.
  package var version: String?
  /// The largest answer taken, streams excepted.
  package var limit = 64 * 1_024 * 1_024

  package init(
    _ method: String, _ path: String, query: [(name: String, value: String)] = [], headers: HTTPHeaders = [:], body: [UInt8] = [],
    timeout: TimeAmount? = .seconds(30)
  ) {
    self.method = method
    self.path = path
    self.query = query
    self.headers = headers
    self.body = body
    self.timeout = timeout
  }

  package mutating func set(json: JSONValue) {
    body = json.bytes
    headers["Content-Type"] = "application/json"
  }

  /// A part of a path, or a query value, with everything escaped that is not unreserved (RFC 3986).
  package static func escaped(_ text: String) -> String {
    var result = ""
    for byte in text.utf8 {
      if unreserved.contains(byte) { result.unicodeScalars.append(Unicode.Scalar(byte)) } else { result += hex(byte) }
    }
    return result
  }

  func head(prefix: String) -> RequestHead {
    let items = query.map { "\(Self.escaped($0.name))=\(Self.escaped($0.value))" }.joined(separator: "&")
    var head = RequestHead(method: method, target: prefix + path + (items.isEmpty ? "" : "?\(items)"), headers: headers)
    head.headers["Host"] = "docker"
    // One connection per request: opening one costs tens of microseconds on a unix socket, and none is ever stale.
    head.headers["Connection"] = "close"
    if !body.isEmpty || method == "POST" || method == "PUT" { head.headers["Content-Length"] = String(body.count) }
    return head
  }

  private static func hex(_ byte: UInt8) -> String {
    let digits = String(byte, radix: 16, uppercase: true)
    return digits.utf8.count == 1 ? "%0\(digits)" : "%\(digits)"
  }

  private static let unreserved = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~".utf8)
}

package struct EngineResponse: Sendable {
  package var status: Int
  package var headers: HTTPHeaders
  package var body: [UInt8]
}
