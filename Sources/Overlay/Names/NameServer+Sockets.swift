// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import Glibc
import NIOCore
import NIOPosix

typealias DatagramChannel = NIOAsyncChannel<AddressedEnvelope<ByteBuffer>, AddressedEnvelope<ByteBuffer>>
typealias StreamChannel = NIOAsyncChannel<ByteBuffer, ByteBuffer>

extension NameServer {
  /// How long a connection may last, whatever it is used for.
  private static let connectionLifetime = Duration.seconds(30)

  /// Until its sockets are closed or fail.
  func serve(at address: IPv4Address) async throws {
    let place = try SocketAddress(ipAddress: address.description, port: port)
    let datagrams = try await Self.bindDatagrams(place)
    let streams: NIOAsyncChannel<StreamChannel, Never>
    do { streams = try await Self.bindStreams(place) } catch {
      try? await datagrams.executeThenClose { _, _ in }
      throw error
    }
    keepOpen([datagrams.channel, streams.channel], at: address)
    defer { state.withLock { $0.open[address] = nil } }
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await self.serve(datagrams) }
      group.addTask { try await self.serve(streams) }
      try await group.next()
      group.cancelAll()
    }
  }

  private func keepOpen(_ channels: [any Channel], at address: IPv4Address) {
    let isWanted = state.withLock { state in
      state.open[address] = channels
      return state.wanted.contains(address)
    }
    if isWanted { opened(address) } else { for channel in channels { channel.close(promise: nil) } }
  }

  private func serve(_ datagrams: DatagramChannel) async throws {
    try await datagrams.executeThenClose { inbound, outbound in
      try await withThrowingDiscardingTaskGroup { group in
        for try await question in inbound {
          guard let client = question.remoteAddress.client, self.questions.take() else { continue }
          group.addTask {
            defer { self.questions.give() }
            guard let answer = await self.answer(Array(question.data.readableBytesView), from: client, isStream: false) else {
              return
            }
            try? await outbound.write(AddressedEnvelope(remoteAddress: question.remoteAddress, data: ByteBuffer(bytes: answer)))
          }
        }
        group.cancelAll()
      }
    }
  }

  private func serve(_ streams: NIOAsyncChannel<StreamChannel, Never>) async throws {
    try await streams.executeThenClose { inbound in
      try await withThrowingDiscardingTaskGroup { group in
        for try await stream in inbound {
          let isRoom = self.connections.take()
          group.addTask {
            defer { if isRoom { self.connections.give() } }
            try? await within(isRoom ? Self.connectionLifetime : .zero) { try await self.serve(stream) }
          }
        }
        group.cancelAll()
      }
    }
  }

  /// One question after the other.
  private func serve(_ stream: StreamChannel) async throws {
    let client = stream.channel.remoteAddress?.client
    try await stream.executeThenClose { inbound, outbound in
      guard let client else { return }
      var frames = DNSFrames()
      for try await bytes in inbound {
        frames.append(Array(bytes.readableBytesView))
        while let question = frames.next() {
          guard let answer = await self.answer(question, from: client, isStream: true) else { return }
          try await outbound.write(ByteBuffer(bytes: DNSFrames.frame(answer)))
        }
      }
    }
  }
}

extension NameServer {
  private static let freely = ChannelOptions.socket(SocketOptionLevel(IPPROTO_IP), SocketOptionName(IP_FREEBIND))

  private static func bindDatagrams(_ place: SocketAddress) async throws -> DatagramChannel {
    try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .channelOption(freely, value: 1)
      .bind(to: place) { channel in
        channel.eventLoop.makeCompletedFuture { try DatagramChannel(wrappingChannelSynchronously: channel) }
      }
  }

  private static func bindStreams(_ place: SocketAddress) async throws -> NIOAsyncChannel<StreamChannel, Never> {
    try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(freely, value: 1)
      .serverChannelOption(ChannelOptions.socketOption(.so_reuseaddr), value: 1)
      .bind(to: place) { channel in
        channel.eventLoop.makeCompletedFuture { try StreamChannel(wrappingChannelSynchronously: channel) }
      }
  }
}

extension SocketAddress {
  fileprivate var client: ClusterModel.IPv4Address? {
    guard case .v4(let address) = self else { return nil }
    return ClusterModel.IPv4Address(bits: UInt32(bigEndian: address.address.sin_addr.s_addr))
  }
}
