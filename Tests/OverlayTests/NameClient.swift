// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import Glibc

@testable import Overlay

/// Asks with the system's calls alone.
final class NameClient: Sendable {
  private let descriptor: Int32
  private let isStream: Bool

  /// `nil` when nobody is there.
  init?(_ client: String, _ server: String, _ port: UInt16, isStream: Bool) {
    self.isStream = isStream
    descriptor = socket(AF_INET, Int32((isStream ? SOCK_STREAM : SOCK_DGRAM).rawValue), 0)
    var patience = timeval(tv_sec: 3, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    let isBound = SocketPlace(client, 0).use { bind(descriptor, $0, $1) } == 0
    guard isBound, SocketPlace(server, port).use({ connect(descriptor, $0, $1) }) == 0 else { return nil }
  }

  deinit { close(descriptor) }

  func ask(_ question: [UInt8]) -> [UInt8]? { send(question) ? answer() : nil }

  func send(_ question: [UInt8]) -> Bool {
    let packet = isStream ? DNSFrames.frame(question) : question
    // In two pieces where that is allowed.
    let pieces = isStream ? [packet.prefix(5), packet.dropFirst(5)] : [packet[...]]
    return pieces.allSatisfy { piece in
      piece.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) } == piece.count
    }
  }

  /// `nil` when none comes within three seconds.
  func answer() -> [UInt8]? {
    var frames = DNSFrames()
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = recv(descriptor, &buffer, buffer.count, 0)
      guard count > 0 else { return nil }
      guard isStream else { return Array(buffer[..<count]) }
      frames.append(Array(buffer[..<count]))
      if let packet = frames.next() { return packet }
    }
  }

  /// A socket that takes datagrams and says nothing.
  static func silent(at address: String, _ port: UInt16) -> Int32? {
    let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
    return SocketPlace(address, port).use { bind(descriptor, $0, $1) } == 0 ? descriptor : nil
  }
}

/// An address and a port, as the system's calls take them.
struct SocketPlace {
  private var place: sockaddr_in

  init(_ address: String, _ port: UInt16) {
    place = sockaddr_in()
    place.sin_family = sa_family_t(AF_INET)
    place.sin_port = port.bigEndian
    place.sin_addr.s_addr = (IPv4Address(address) ?? .loopback).bits.bigEndian
  }

  func use<Value>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Value) -> Value {
    withUnsafePointer(to: place) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
  }
}
