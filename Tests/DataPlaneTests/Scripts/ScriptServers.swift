// SPDX-License-Identifier: Apache-2.0

import CLinux
import ClusterModel
import Glibc

@testable import Balancing
@testable import DataPlane

/// The endpoints a script speaks for, by name.
struct ScriptServers: ~Copyable {
  private struct Server {
    let descriptor: Int32
    let transport: Transport
    let port: UInt16
  }

  private var servers: [String: Server] = [:]
  private var stopped: [String: UInt16] = [:]
  private var silent: [String: SilentEndpoint] = [:]
  private var refusing: [String: UInt16] = [:]

  mutating func endpoint(_ place: Place, _ transport: Transport) throws -> Endpoint {
    switch place {
    case .ready(let name): return Endpoint(id: name, address: .loopback, port: try port(name, transport))
    case .draining(let name): return Endpoint(id: name, address: .loopback, port: try port(name, transport), state: .draining)
    case .refusing(let name):
      let port = refusing[name] ?? refusingEndpoint(name).port
      refusing[name] = port
      return Endpoint(id: name, address: .loopback, port: port)
    case .silent(let name, let isDraining):
      let endpoint = try silent[name] ?? SilentEndpoint()
      silent[name] = endpoint
      return Endpoint(id: name, address: .loopback, port: endpoint.port, state: isDraining ? .draining : .ready)
    // A broadcast address: the kernel knows at once that no connection goes there.
    case .lost(let name): return Endpoint(id: name, address: IPv4Address(bits: 0x7fff_ffff), port: 9)
    }
  }

  private mutating func port(_ name: String, _ transport: Transport) throws -> UInt16 {
    if let port = stopped[name] ?? servers[name]?.port { return port }
    let descriptor = transport == .tcp ? cl_listen(0, 512) : Self.datagrams(port: 0)
    guard descriptor >= 0 else { throw Mismatch("no socket for \(name): errno \(-descriptor)") }
    let port = UInt16(cl_local_port(descriptor))
    servers[name] = Server(descriptor: descriptor, transport: transport, port: port)
    return port
  }

  /// Bound so that each client met gets a socket of its own at the same port.
  private static func datagrams(port: UInt16) -> Int32 {
    let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | O_CLOEXEC, 0)
    var on: Int32 = 1
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, 4)
    return (try? ScriptPeer.bind(descriptor, 0x7f00_0001, port: port)) == nil ? -errno : descriptor
  }

  mutating func stop(_ name: String) {
    guard let server = servers.removeValue(forKey: name) else { return }
    stopped[name] = server.port
    close(server.descriptor)
  }

  /// The first endpoint that somebody new comes to.
  func next(within duration: Duration) throws -> String? {
    let all = servers.sorted { $0.key < $1.key }
    var watched = all.map { pollfd(fd: $0.value.descriptor, events: Int16(POLLIN), revents: 0) }
    _ = poll(&watched, nfds_t(watched.count), duration.milliseconds)
    return watched.firstIndex { $0.revents != 0 }.map { all[$0].key }
  }

  func accept(_ name: String) throws -> ScriptPeer {
    guard let server = servers[name] else { throw Mismatch("there is no \(name)") }
    if server.transport == .udp { return try meet(server) }
    var address: (UInt64, UInt64) = (0, 0)
    let descriptor = cl_accept(server.descriptor, &address.0, &address.1)
    guard descriptor >= 0 else { throw Mismatch("accept: errno \(-descriptor)") }
    return ScriptPeer(descriptor: descriptor)
  }

  private func meet(_ server: Server) throws -> ScriptPeer {
    var bytes = [UInt8](repeating: 0, count: 70_000)
    var peer = sockaddr_in()
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let count = withUnsafeMutablePointer(to: &peer) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { recvfrom(server.descriptor, &bytes, bytes.count, 0, $0, &length) }
    }
    guard count >= 0 else { throw Mismatch("receive: errno \(errno)") }
    let descriptor = Self.datagrams(port: server.port)
    try ScriptPeer.connect(descriptor, UInt32(bigEndian: peer.sin_addr.s_addr), UInt16(bigEndian: peer.sin_port))
    return ScriptPeer(descriptor: descriptor, isStream: false, early: Array(bytes[..<count]))
  }

  deinit {
    for server in servers.values { close(server.descriptor) }
  }
}
