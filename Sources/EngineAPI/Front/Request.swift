// SPDX-License-Identifier: Apache-2.0

package import HTTPWire

/// What a request asks for, before its body: enough to decide who answers it.
package struct RequestLine: Sendable, Hashable {
  package var method: String
  /// Decoded, without the version prefix: `/services/create`.
  package var path: String
  /// From a prefix like `/v1.41`; nil when the client sent none, which means the newest.
  package var version: APIVersion?
  package var query: Query
  package var headers: HTTPHeaders

  package init(_ head: RequestHead) throws(HTTPSyntaxError) {
    let parts = head.target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    guard let path = PercentCoding.decode(parts[0]) else { throw HTTPSyntaxError("malformed request target") }
    method = head.method
    headers = head.headers
    query = Query(parts.count > 1 ? parts[1] : "")
    (version, self.path) = Self.split(path)
  }

  /// The version our answer follows.
  package var effectiveVersion: APIVersion { version ?? .newest }

  /// `/v1.41/info` is 1.41 and `/info`; anything that is not a version stays in the path.
  private static func split(_ path: String) -> (APIVersion?, String) {
    guard path.hasPrefix("/v") else { return (nil, path) }
    let prefix = path.dropFirst(2).prefix { $0 != "/" }
    guard let version = APIVersion(prefix) else { return (nil, path) }
    let rest = path.dropFirst(2 + prefix.count)
    return (version, rest.isEmpty ? "/" : String(rest))
  }
}

/// A request that we answer or rewrite, with its whole body.
package struct Request: Sendable {
  package var line: RequestLine
  package var body: [UInt8]
  /// As it came, for rewriting: change this, not `line`.
  package var head: RequestHead

  package init(head: RequestHead, line: RequestLine, body: [UInt8]) {
    self.head = head
    self.line = line
    self.body = body
  }

  package var method: String { line.method }
  package var path: String { line.path }
  package var version: APIVersion? { line.version }
  package var query: Query { line.query }
  package var headers: HTTPHeaders { line.headers }
}
