// SPDX-License-Identifier: Apache-2.0

package import Balancing
package import ClusterModel
import Glibc
package import Logging
package import Netfilter

/// Keeps services' addresses in force in this host's containers on overlay networks.
package actor VirtualIPKeeper {
  private struct Container {
    let kernel: VirtualIPKernel
    /// `nil` while the rules cannot be had.
    var rules: VirtualIPRules?
    var complaint: String?
  }

  private let logger: Logger
  private var networks: [OverlayNetwork] = []
  private var containers: [String: Container] = [:]

  package init(logger: Logger) { self.logger = logger }

  /// Begins with a container that has been started, by its endpoints' id and one of its processes; returns when the rules are in force.
  /// One that was restarted is begun with anew. Its namespace lives until it is left.
  ///
  /// Throws `NetfilterError` when the process is gone, or has no network of its own.
  package func enter(_ container: String, process: Int) throws(NetfilterError) {
    let network = try Self.network(of: process)
    defer { close(network) }
    do { containers[container] = Container(kernel: try VirtualIPKernel(network: network)) } catch {
      throw NetfilterError(.system, "container \(container): \(error)")
    }
    ensure(container)
  }

  /// Its container has stopped.
  package func leave(_ container: String) { containers[container] = nil }

  /// Returns when the rules are in force, or cannot be had now: then it is tried again.
  package func know(_ networks: [OverlayNetwork]) {
    self.networks = networks
    for container in containers.keys { ensure(container) }
  }

  /// All addresses of the containers whose rules are in force: to them, names may be told.
  package var served: Set<IPv4Address> {
    let known = Set(containers.filter { $0.value.rules != nil }.keys)
    return Set(networks.flatMap { $0.endpoints.filter { known.contains($0.id) }.map(\.address) })
  }

  /// Looks every ten seconds whether somebody changed them. Until cancelled; the rules stay.
  package func run() async {
    while (try? await Task.sleep(for: .seconds(10))) != nil { for container in containers.keys { ensure(container) } }
  }

  private func ensure(_ id: String) {
    guard var container = containers[id] else { return }
    let rules = VirtualIPRules(networks, container: id, seed: Self.seed(id))
    do {
      let isNews = container.rules != rules
      if try container.kernel.ensure(rules), !isNews {
        logger.warning(
          "a container's rules for services' addresses were changed by somebody; put back", metadata: ["container": "\(id)"])
      }
      (container.rules, container.complaint) = (rules, nil)
    } catch {
      // Once, not every ten seconds.
      if container.complaint != "\(error)" {
        logger.error("a container cannot reach services' addresses", metadata: ["container": "\(id)", "error": "\(error)"])
      }
      (container.rules, container.complaint) = (nil, "\(error)")
    }
    containers[id] = container
  }

  /// The same in every life of the agent (FNV-1a).
  private static func seed(_ container: String) -> UInt64 {
    container.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
  }

  private static func network(of process: Int) throws(NetfilterError) -> Int32 {
    let network = open("/proc/\(process)/ns/net", O_RDONLY | O_CLOEXEC)
    guard network >= 0 else {
      throw NetfilterError(.system, "the network of process \(process): \(String(cString: strerror(errno)))")
    }
    var (its, own) = (stat(), stat())
    guard fstat(network, &its) == 0, stat("/proc/self/ns/net", &own) == 0, its.st_ino != own.st_ino else {
      close(network)
      throw NetfilterError(.system, "process \(process) is in this host's own network")
    }
    return network
  }
}
