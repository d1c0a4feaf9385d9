// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import NIOCore

extension NameServer {
  /// `nil` for what deserves none.
  func answer(_ packet: [UInt8], from client: IPv4Address, isStream: Bool) async -> [UInt8]? {
    do throws(DNSQuery.Refusal) {
      return await answer(try DNSQuery(packet), from: client, isStream: isStream)
    } catch {
      switch error {
      case .silence: return nil
      case .reply(let packet): return packet
      }
    }
  }

  private func answer(_ query: DNSQuery, from client: IPv4Address, isStream: Bool) async -> [UInt8] {
    await hold(client)
    let answer = state.withLock { state in
      state.turn = (state.turn + 1) & 0xFFFF_FFFF
      return state.table.answer(query.name, query.kind, to: client, turn: state.turn)
    }
    let limit = isStream ? DNSReply.streamSize : query.limit
    switch answer {
    case .records(let records): return DNSReply.packet(to: query, .noError, records, limit: limit)
    case .unknown: return DNSReply.packet(to: query, .nameError, limit: limit)
    case .forward:
      return await forwarder.answer(query, isStream: isStream, of: others(for: client))
    }
  }

  /// Never itself.
  private func others(for client: IPv4Address) -> [SocketAddress] {
    let (own, chosen) = state.withLock { ($0.wanted, $0.servers[client]) }
    let places = Set(own.compactMap { try? SocketAddress(ipAddress: $0.description, port: port) })
    return (chosen ?? servers()).filter { !places.contains($0) }
  }

  /// Waits for the client's rules. Few wait at a time, those whose containers have just begun.
  private func hold(_ client: IPv4Address) async {
    let end = ContinuousClock.now + patience
    while isAwaited(client), ContinuousClock.now < end, !Task.isCancelled { try? await Task.sleep(for: .milliseconds(5)) }
  }

  private func isAwaited(_ client: IPv4Address) -> Bool {
    state.withLock { !$0.programmed.contains(client) && $0.table.mayKnow(client) }
  }
}
