// SPDX-License-Identifier: Apache-2.0

/// Reads heads strictly: no folded lines, no space before a colon, no control characters, UTF-8 only. A line may end in a bare
/// line feed (RFC 9112, 2.2), because people type requests by hand and heads are written out again before anyone else reads them.
package enum HeadParser {
  package static func request(_ bytes: some Collection<UInt8>) throws(HTTPSyntaxError) -> RequestHead {
    var lines = splitLines(bytes)
    let parts = try text(lines.removeFirst()).split(separator: " ", omittingEmptySubsequences: false)
    guard parts.count == 3, isToken(parts[0]), parts[1].utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f }) else {
      throw HTTPSyntaxError("malformed request line")
    }
    guard let minor = minorVersion(parts[2]) else {
      throw HTTPSyntaxError(status: parts[2].hasPrefix("HTTP/") ? 505 : 400, "unsupported protocol version")
    }
    let target = try originForm(parts[1])
    return RequestHead(method: String(parts[0]), target: target, minorVersion: minor, headers: try fields(lines))
  }

  package static func response(_ bytes: some Collection<UInt8>) throws(HTTPSyntaxError) -> ResponseHead {
    var lines = splitLines(bytes)
    let parts = try text(lines.removeFirst()).split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count >= 2, let minor = minorVersion(parts[0]), parts[1].utf8.count == 3, let status = Int(parts[1]),
      status >= 100
    else { throw HTTPSyntaxError("malformed status line") }
    let reason = parts.count == 3 ? String(parts[2]) : ""
    return ResponseHead(status: status, reason: reason, minorVersion: minor, headers: try fields(lines))
  }

  /// Index just behind the empty line that ends a head, searching from `start`; nil when it is not there yet.
  static func end(in bytes: some RandomAccessCollection<UInt8>, from start: Int) -> Int? {
    var offset = start
    while offset < bytes.count {
      defer { offset += 1 }
      guard byte(bytes, offset) == lineFeed else { continue }
      if byte(bytes, offset - 1) == lineFeed { return offset + 1 }
      if byte(bytes, offset - 1) == carriageReturn, byte(bytes, offset - 2) == lineFeed { return offset + 1 }
    }
    return nil
  }

  private static func byte(_ bytes: some RandomAccessCollection<UInt8>, _ offset: Int) -> UInt8? {
    offset < 0 ? nil : bytes[bytes.index(bytes.startIndex, offsetBy: offset)]
  }

  /// Without their ends and without the empty lines; never empty itself.
  private static func splitLines(_ bytes: some Collection<UInt8>) -> [[UInt8]] {
    let lines = bytes.split(separator: lineFeed).map { $0.last == carriageReturn ? Array($0.dropLast()) : Array($0) }
    let filled = lines.filter { !$0.isEmpty }
    return filled.isEmpty ? [[]] : filled
  }

  private static func fields(_ lines: [[UInt8]]) throws(HTTPSyntaxError) -> HTTPHeaders {
    var headers = HTTPHeaders()
    for line in lines {
      let parts = try text(line).split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, isToken(parts[0]) else { throw HTTPSyntaxError("malformed header line") }
      headers.append(String(parts[0]), String(parts[1].trimmingSpaces))
    }
    return headers
  }

  private static func text(_ line: [UInt8]) throws(HTTPSyntaxError) -> String {
    guard let text = String(validating: line, as: UTF8.self), line.allSatisfy({ ($0 >= 0x20 && $0 != 0x7f) || $0 == 0x09 }) else {
      throw HTTPSyntaxError("header contains a control character or invalid UTF-8")
    }
    return text
  }

  /// `/path?query`; a proxy's absolute form loses its scheme and authority.
  private static func originForm(_ target: Substring) throws(HTTPSyntaxError) -> String {
    if target.hasPrefix("/") { return String(target) }
    guard target.hasPrefix("http://") else { throw HTTPSyntaxError("malformed request target") }
    let rest = target.dropFirst("http://".count).drop { $0 != "/" }
    return rest.isEmpty ? "/" : String(rest)
  }

  private static func minorVersion(_ text: Substring) -> Int? {
    ["HTTP/1.0": 0, "HTTP/1.1": 1][text]
  }

  private static func isToken(_ text: Substring) -> Bool {
    !text.isEmpty && text.utf8.allSatisfy { tokenBytes.contains($0) }
  }

  private static let tokenBytes = Set("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)
  private static let lineFeed = UInt8(ascii: "\n")
  private static let carriageReturn = UInt8(ascii: "\r")
}
