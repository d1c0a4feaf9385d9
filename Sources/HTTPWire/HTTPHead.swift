// SPDX-License-Identifier: Apache-2.0

/// What came before the body of a request. Writing it out again gives the same message: only white space around values and
/// bare line feeds are made canonical, so whoever reads the bytes next cannot understand them differently than we did.
package struct RequestHead: Sendable, Hashable {
  package var method: String
  /// As on the request line: percent-encoded path and query.
  package var target: String
  /// 0 or 1: HTTP/1.0 or HTTP/1.1.
  package var minorVersion: Int
  package var headers: HTTPHeaders

  package init(method: String, target: String, minorVersion: Int = 1, headers: HTTPHeaders = [:]) {
    self.method = method
    self.target = target
    self.minorVersion = minorVersion
    self.headers = headers
  }

  package var bytes: [UInt8] {
    headLines("\(method) \(target) HTTP/1.\(minorVersion)", headers)
  }

  /// Whether the client asks for the connection to become something else (attach, exec, BuildKit sessions).
  package var wantsUpgrade: Bool { headers.has(token: "upgrade", in: "Connection") }

  /// Whether the connection may carry another request afterwards.
  package var keepsAlive: Bool {
    if headers.has(token: "close", in: "Connection") { return false }
    return minorVersion == 1 || headers.has(token: "keep-alive", in: "Connection")
  }

  package var expectsContinue: Bool {
    minorVersion == 1 && headers.has(token: "100-continue", in: "Expect")
  }
}

package struct ResponseHead: Sendable, Hashable {
  package var status: Int
  package var reason: String
  package var minorVersion: Int
  package var headers: HTTPHeaders

  package init(status: Int, reason: String? = nil, minorVersion: Int = 1, headers: HTTPHeaders = [:]) {
    self.status = status
    self.reason = reason ?? Self.reasons[status] ?? "Status"
    self.minorVersion = minorVersion
    self.headers = headers
  }

  package var bytes: [UInt8] {
    headLines("HTTP/1.\(minorVersion) \(status) \(reason)", headers)
  }

  /// The codes the Engine API uses.
  private static let reasons: [Int: String] = [
    100: "Continue", 101: "UPGRADED", 200: "OK", 201: "Created", 202: "Accepted", 204: "No Content", 301: "Moved Permanently",
    304: "Not Modified", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
    406: "Not Acceptable",
    408: "Request Timeout", 409: "Conflict", 413: "Request Entity Too Large", 431: "Request Header Fields Too Large",
    500: "Internal Server Error", 501: "Not Implemented", 502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout",
    505: "HTTP Version Not Supported",
  ]
}

private func headLines(_ first: String, _ headers: HTTPHeaders) -> [UInt8] {
  var text = first + "\r\n"
  for field in headers.fields { text += "\(field.name): \(field.value)\r\n" }
  return Array((text + "\r\n").utf8)
}
