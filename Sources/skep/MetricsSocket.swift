// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Why the metrics cannot be read, in words that say what to do.
struct MetricsError: Error, CustomStringConvertible {
  var description: String
}

/// skepd's page of metrics. Blocks for at most some seconds.
struct MetricsSocket {
  /// Of a page; a hundred times what thousands of tasks make.
  private static let limit = 256 << 20
  private static let patience = timeval(tv_sec: 5, tv_usec: 0)

  let path: String

  func page() throws(MetricsError) -> [UInt8] {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw failure() }
    defer { close(descriptor) }
    try connect(descriptor)
    // By 1.0, so that the end of the answer is the end of the connection.
    let request = Array("GET /metrics HTTP/1.0\r\n\r\n".utf8)
    guard send(descriptor, request, request.count, Int32(MSG_NOSIGNAL)) == request.count else { throw failure() }
    return try Self.body(of: try answer(descriptor), path)
  }

  private func connect(_ descriptor: Int32) throws(MetricsError) {
    var patience = Self.patience
    for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
      setsockopt(descriptor, SOL_SOCKET, option, &patience, socklen_t(MemoryLayout<timeval>.size))
    }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    guard !bytes.isEmpty, bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
      throw MetricsError(description: "\(path) is no path of a socket: it must have 1 to 107 bytes")
    }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    let result = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    guard result == 0 else { throw failure() }
  }

  private func answer(_ descriptor: Int32) throws(MetricsError) -> [UInt8] {
    var answer: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 64 * 1_024)
    while answer.count <= Self.limit {
      let count = recv(descriptor, &buffer, buffer.count, 0)
      if count == 0 { return answer }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw failure() }
      answer += buffer[..<count]
    }
    throw MetricsError(description: "the answer of \(path) has no end")
  }

  static func body(of answer: [UInt8], _ path: String) throws(MetricsError) -> [UInt8] {
    let end = Array("\r\n\r\n".utf8)
    guard answer.starts(with: "HTTP/1.1 200 ".utf8),
      let start = answer.indices.first(where: { answer[$0...].starts(with: end) })
    else {
      let line = String(decoding: answer.prefix { $0 != 0x0d && $0 != 0x0a }.prefix(200), as: UTF8.self)
      throw MetricsError(description: "\(path) is not skepd's socket for metrics: it answers \"\(line)\"")
    }
    return Array(answer[(start + end.count)...])
  }

  private func failure() -> MetricsError {
    switch errno {
    // Reset: it ended just now.
    case ENOENT, ECONNREFUSED, ECONNRESET, EPIPE:
      MetricsError(description: "skepd does not run here: nobody listens on \(path) (another place is given by --socket)")
    case EACCES, EPERM:
      MetricsError(description: "you may not open \(path): root and members of its group (docker) may")
    case EAGAIN: MetricsError(description: "skepd does not answer on \(path)")
    default: MetricsError(description: "\(path): \(String(cString: strerror(errno)))")
    }
  }
}
