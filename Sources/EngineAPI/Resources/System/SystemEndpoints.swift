// SPDX-License-Identifier: Apache-2.0

import ClusterModel

extension SwarmAPI {
  /// Answers without the store, and with our own newest version while the engine has never answered.
  func ping(_ call: Call) async -> Response {
    return Response(
      headers: [
        "Api-Version": await announcedVersion, "Swarm": await swarmHeader(), "Docker-Experimental": "false", "Ostype": "linux",
        "Cache-Control": "no-cache, no-store, must-revalidate", "Pragma": "no-cache", "Content-Type": "text/plain; charset=utf-8",
      ], body: .bytes(Array("OK".utf8)))
  }

  private func swarmHeader() async -> String {
    switch await control.state {
    case .inactive: "inactive"
    case .pending: "pending"
    case .active: "active/manager"
    case .failed: "error"
    }
  }

  /// The engine's own answer with our swarm in it.
  func info(_ call: Call) async throws -> Response {
    async let swarm = infoSection()
    var info = try await engine.info().raw
    let section = try await swarm
    info["Swarm"] = section.json
    if !section.warnings.isEmpty {
      info["Warnings"] = .array((info["Warnings"]?.arrayValue ?? []) + section.warnings.map(JSONValue.string))
    }
    return .json(info)
  }

  private func infoSection() async throws -> InfoSection {
    switch await control.state {
    case .inactive: .inactive
    case .pending: .pending
    case .failed(let reason): .failed(reason)
    case .active(let swarm): try await infoCache.section(of: swarm)
    }
  }
}
