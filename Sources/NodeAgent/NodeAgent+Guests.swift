// SPDX-License-Identifier: Apache-2.0

import ClusterModel
package import ClusterRPC
import EngineClient

/// Containers on overlay networks that are no tasks: users put them there, by `docker run --network` or `docker network connect`.
extension NodeAgent {
  /// As long as `Attachments.patience`, and a bit.
  private static let patience = Duration.seconds(150)

  /// Puts a container on a network, and makes this node's part of it. Throws `RPCFailure` when it may not be there.
  package func attach(_ request: NodeMessage.AttachRequest) async throws -> AttachedPlace {
    guard let calls else { throw RPCFailure(.unavailable, "the node's engine has not been reached yet") }
    let reply = try await dispatcher.attach(request)
    attaching[reply.network.id] = clock.now().uptime
    try await calls.ensure(reply.network, mtu: await networks.packetSize)
    await networks.bridgesChanged()
    return AttachedPlace(
      engineName: Network.engineName(of: reply.network.name), address: reply.address, gateway: reply.network.gateway)
  }

  /// Looks whenever a container or its networks change.
  func followGuests() async {
    let actions = ["create", "start", "die", "destroy", "rename", "connect", "disconnect"]
    var backoff = Backoff()
    while !Task.isCancelled {
      if let events = try? await engine.events(
        since: nil, until: nil, filters: ["type": ["container", "network"], "event": actions])
      {
        backoff = Backoff()
        guestWake.yield()
        do { for try await _ in events { guestWake.yield() } } catch {}
      }
      do { try await clock.sleep(backoff.next()) } catch { return }
    }
  }

  func lookAtGuests() async {
    for await _ in guestWakes {
      do { try await tellOfGuests() } catch {
        if Task.isCancelled { return }
        logger.debug("containers on overlay networks could not be told of", metadata: ["error": "\(error)"])
      }
    }
  }

  private func tellOfGuests() async throws {
    let now = clock.now().uptime
    attaching = attaching.filter { $0.value + Self.patience > now }
    guard let found = try await calls?.guests() else { return }
    guests = found.running
    if containersOnOverlays != attended { attendWake.yield() }
    let report = NodeMessage.AttachedContainers(names: found.names, networks: found.networks)
    // Again and again: the managers forget what was never made only when they hear of what is there.
    guard report != toldOfGuests || !report.names.isEmpty || !attaching.isEmpty else { return }
    try await dispatcher.report(containers: report)
    toldOfGuests = report
  }
}

/// Containers on this node's parts of overlay networks that are no tasks.
struct Guests: Sendable {
  /// What the engine calls each, by `Attachment.container`.
  var names: [String: [String]] = [:]
  var networks: [String: Set<String>] = [:]
  var running: Set<OverlayContainer> = []
}

extension TaskOperations {
  func guests() async throws -> Guests {
    let labels = ["\(Labels.cluster)=\(clusterID)", Labels.network]
    let parts = try await engine.networks(filters: ["label": labels]).map {
      ($0.value.name, $0.value.labels[Labels.network] ?? "")
    }
    let ids = Dictionary(parts) { first, _ in first }
    var guests = Guests()
    if ids.isEmpty { return guests }
    for summary in try await engine.containers(all: true, labels: []) where summary.labels[Labels.swarmTaskID] == nil {
      let networks = Set(summary.networkSettings.networks.keys.compactMap { ids[$0] })
      guard !networks.isEmpty else { continue }
      let key = summary.labels[Labels.attachment] ?? summary.id
      guests.names[key] = summary.names.map { String($0.drop { $0 == "/" }) } + [String(summary.id.prefix(12))]
      guests.networks[key] = networks
      guard summary.state == "running", let state = try await inspect(summary.id), state.pid > 0 else { continue }
      let servers = (summary.labels[Labels.nameservers] ?? "").split(separator: " ").map(String.init)
      guests.running.insert(OverlayContainer(id: key, process: state.pid, nameservers: servers))
    }
    return guests
  }
}
