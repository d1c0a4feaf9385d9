// SPDX-License-Identifier: Apache-2.0

package import ClusterModel

/// The body of `POST /swarm/join`.
package struct JoinRequest: Codable, Sendable {
  package var listenAddr: String?
  package var advertiseAddr: String?
  package var dataPathAddr: String?
  package var remoteAddrs: [String]?
  package var joinToken: String?
  package var availability: String?

  /// Checks in swarm's order. `system` are this host's addresses.
  package func checked(system: [SystemAddress]) throws(SpecError) -> SwarmJoin {
    guard listenAddr?.isEmpty == false else { throw SpecError("invalid ListenAddr \"\": invalid empty address") }
    guard let remote = remoteAddrs?.first else { throw SpecError("at least 1 RemoteAddr is required to join") }
    let addresses = try addresses(system)
    let availability = (availability ?? "").isEmpty ? "active" : (availability ?? "").lowercased()
    guard NodeSpec.availabilities.contains(availability) else {
      throw SpecError("invalid Availability: \((self.availability ?? "").goQuoted)")
    }
    guard let token = joinToken, JoinToken.isValid(token) else { throw SpecError("invalid join token") }
    return SwarmJoin(
      remote: remote, token: token, availability: availability, address: addresses?.advertiseHost,
      dataPath: addresses.flatMap { isChosen || !["0.0.0.0", "::"].contains($0.listenHost) ? $0.dataPathHost : nil })
  }

  /// What the user chose, or the host's only address; where it has several, it is the one that reaches the manager.
  private func addresses(_ system: [SystemAddress]) throws(SpecError) -> SwarmAddresses? {
    do {
      return try SwarmAddresses(
        listen: listenAddr ?? "", advertise: advertiseAddr ?? "", dataPath: dataPathAddr ?? "", system: system)
    } catch {
      guard !isChosen, error.message.hasPrefix("could not ") else { throw error }
      return nil
    }
  }

  private var isChosen: Bool { advertiseAddr?.isEmpty == false || dataPathAddr?.isEmpty == false }
}
