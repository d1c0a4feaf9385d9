// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import EngineClient
import HTTPWire

extension SwarmAPI {
  /// Answers without the store, and with our own newest version while the engine has never answered.
  func ping(_ call: Call) async -> Response {
    let greeting = try? await engine.greeting()
    var headers: HTTPHeaders = [
      "Api-Version": greeting?.apiVersion ?? "\(APIVersion.newest)", "Swarm": await swarmHeader(),
      "Docker-Experimental": "\(greeting?.isExperimental ?? false)", "Ostype": "linux",
      "Cache-Control": "no-cache, no-store, must-revalidate", "Pragma": "no-cache", "Content-Type": "text/plain; charset=utf-8",
    ]
    if let builder = greeting?.builderVersion, !builder.isEmpty { headers["Builder-Version"] = builder }
    return Response(headers: headers, body: .bytes(call.request.method == "HEAD" ? [] : Array("OK".utf8)))
  }

  private func swarmHeader() async -> String {
    switch await control.state {
    case .inactive: "inactive"
    case .pending: "pending"
    case .active: "active/manager"
    case .worker(let worker): worker.error == nil ? "active/worker" : "error"
    case .failed: "error"
    }
  }

  /// The engine's own answer with our swarm in it.
  func info(_ call: Call) async throws -> Response {
    async let swarm = infoSection()
    var info = try await engine.info(version: call.request.version?.description).raw
    let section = try await swarm
    info["Swarm"] = section.json
    if !section.warnings.isEmpty {
      info["Warnings"] = .array((info["Warnings"]?.arrayValue ?? []) + section.warnings.map(JSONValue.string))
    }
    return .json(info)
  }

  /// The engine's own answer with Skep among its components, and with no newer version of the API in it than is served: there are
  /// clients that speak what they read here.
  func version(_ call: Call) async throws -> Response {
    var version = try await engine.version(version: call.request.version?.description).raw
    Self.limitVersion(&version)
    if let components = version["Components"]?.arrayValue {
      version["Components"] = .array(components.map(Self.limited) + [Self.component])
    }
    return .json(version)
  }

  /// What `docker version` shows of us, after the engine and its parts.
  private static let component: JSONValue = [
    "Name": "Skep", "Version": .string(Release.version),
    "Details": ["ApiVersion": .string("\(APIVersion.newest)"), "MinAPIVersion": .string("\(APIVersion.oldest)")],
  ]

  private static func limited(_ component: JSONValue) -> JSONValue {
    var component = component
    guard var details = component["Details"] else { return component }
    limitVersion(&details)
    component["Details"] = details
    return component
  }

  private static func limitVersion(_ object: inout JSONValue) {
    guard let own = object["ApiVersion"]?.stringValue.flatMap({ APIVersion($0) }), own > .newest else { return }
    object["ApiVersion"] = .string("\(APIVersion.newest)")
  }

  private func infoSection() async throws -> InfoSection {
    switch await control.state {
    case .inactive: .inactive
    case .pending: .pending
    case .failed(let reason): .failed(reason)
    case .worker(let worker): .worker(worker)
    case .active(let swarm): try await infoCache.section(of: swarm)
    }
  }
}
