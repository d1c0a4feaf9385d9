// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOPosix

/// Asks other servers: by datagrams, and once more by a connection when the answer does not fit and the client can take it.
struct Forwarder: Sendable {
  /// Questions under way; those beyond fail at once.
  static let capacity = 256
  /// So often nothing may come before the question fails.
  private static let silences = 2

  /// For each server's answer.
  let patience: Duration
  private let slots = Slots(Forwarder.capacity)

  private enum Outcome: Sendable {
    case reply(ForwardedReply)
    case silence
    /// It said at once that nobody is there, or this host knows no way.
    case failure
  }

  /// Never longer than its silences; a failure when no server knew better.
  func answer(_ query: DNSQuery, isStream: Bool, of servers: [SocketAddress]) async -> [UInt8] {
    guard slots.take() else { return failure(query) }
    defer { slots.give() }
    var (last, silences): (ForwardedReply?, Int) = (nil, 0)
    for server in servers + servers where silences < Self.silences && !Task.isCancelled {
      switch await ask(server, query, isStream: isStream) {
      case .reply(let reply) where !reply.isUseless: return reply.packet(for: query)
      case .reply(let reply): last = reply
      case .silence: silences += 1
      case .failure: break
      }
    }
    return last?.packet(for: query) ?? failure(query)
  }

  private func failure(_ query: DNSQuery) -> [UInt8] { DNSReply.packet(to: query, .serverFailure, limit: query.limit) }

  private func ask(_ server: SocketAddress, _ query: DNSQuery, isStream: Bool) async -> Outcome {
    let id = UInt16.random(in: 0...UInt16.max)
    var packet: [UInt8] = []
    packet.write(id)
    packet += query.packet.dropFirst(2)
    let question = packet
    let accept: @Sendable ([UInt8]) -> ForwardedReply? = { ForwardedReply($0, to: query, id: id) }
    do {
      guard let reply = try await within(patience, { try await Self.send(question, to: server, accept) }) else {
        return .silence
      }
      guard let reply, reply.isCut, isStream else { return reply.map(Outcome.reply) ?? .failure }
      let whole = try? await within(patience, { try await Self.connect(question, to: server, accept) })
      return .reply((whole ?? nil) ?? reply)
    } catch {
      return .failure
    }
  }
}

extension Forwarder {
  /// From a port of its own for each question: an answer that somebody made up has to guess it.
  private static func send(_ packet: [UInt8], to server: SocketAddress, _ accept: @Sendable ([UInt8]) -> ForwardedReply?)
    async throws
    -> ForwardedReply?
  {
    let channel = try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: DNSReply.streamSize))
      .connect(to: server) { channel in
        channel.eventLoop.makeCompletedFuture { try DatagramChannel(wrappingChannelSynchronously: channel) }
      }
    return try await channel.executeThenClose { inbound, outbound in
      try await outbound.write(AddressedEnvelope(remoteAddress: server, data: ByteBuffer(bytes: packet)))
      for try await datagram in inbound {
        if let reply = accept(Array(datagram.data.readableBytesView)) { return reply }
      }
      return nil
    }
  }

  private static func connect(
    _ packet: [UInt8], to server: SocketAddress, _ accept: @Sendable ([UInt8]) -> ForwardedReply?
  ) async throws -> ForwardedReply? {
    let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .connectTimeout(.seconds(2))
      .connect(to: server) { channel in
        channel.eventLoop.makeCompletedFuture { try StreamChannel(wrappingChannelSynchronously: channel) }
      }
    return try await channel.executeThenClose { inbound, outbound in
      try await outbound.write(ByteBuffer(bytes: DNSFrames.frame(packet)))
      var frames = DNSFrames()
      for try await bytes in inbound {
        frames.append(Array(bytes.readableBytesView))
        while let answer = frames.next() { if let reply = accept(answer) { return reply } }
      }
      return nil
    }
  }
}
