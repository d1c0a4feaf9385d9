// SPDX-License-Identifier: Apache-2.0
import Foundation

/// A cluster on one machine: each host is a network namespace with its own Docker Engine, skepd and relay.
///
/// A handle, like `Host`. Nothing is torn down with it: call `down()`.
package struct Playground: Sendable {
  package let layout: Layout
  package let hosts: [Host]
  package let client: Client
  package let configuration: Configuration

  init(_ layout: Layout, _ state: PlaygroundState) {
    let network = NetworkPlan(layout: layout)
    let binaries = state.configuration.binaryFolder
    hosts = Layout.hostNames(state.nodes).enumerated().map { index, name in
      let plan = HostPlan(
        layout: layout, name: name, address: Layout.address(ofHost: index + 1), configuration: state.configuration,
        binaries: binaries)
      return Host(plan: plan, network: network)
    }
    self.layout = layout
    client = Client(layout: layout)
    configuration = state.configuration
  }

  /// The playground in a directory, alive or not.
  package static func open(directory: String = Layout.defaultDirectory) throws -> Playground {
    let layout = try Layout(directory: directory)
    guard let state = try PlaygroundState.read(layout) else {
      throw PlaygroundError(
        .notUp, "no playground in \(layout.directory); make one with `skep playground up --dir \(layout.directory)`")
    }
    return Playground(layout, state)
  }

  package func host(_ name: String) throws -> Host {
    guard let host = hosts.first(where: { $0.name == name }) else {
      throw PlaygroundError(
        .unknownHost, "no host \(name) here: there are \(hosts.map(\.name).joined(separator: ", ")) and client")
    }
    return host
  }

  /// Makes the image on every host, from a tar file with a root file system.
  package func importImage(_ name: String, tar: String, changes: [String] = []) async throws {
    for host in hosts { try await host.importImage(name, tar: tar, changes: changes) }
  }
}
