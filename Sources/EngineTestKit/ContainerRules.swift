// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import EngineClient

/// What an engine refuses in a container's create request whose types are right.
struct ContainerRules {
  let name: String
  let config: JSONValue
  let minor: Int
  let cpus: Int

  func check() throws {
    try BodySchema.container.check(config, minor: minor)
    guard Self.isName(name) else {
      throw refusal("Invalid container name (\(name)), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed")
    }
    if (config["Image"]?.stringValue ?? "").isEmpty { throw refusal("config cannot be empty in order to create a container") }
    for entry in config["Env"]?.arrayValue ?? [] where entry.stringValue?.first ?? "=" == "=" {
      throw refusal("invalid environment variable: \(entry.stringValue ?? "")")
    }
    try checkHealth(config["Healthcheck"] ?? .null)
    try checkLimits(config["HostConfig"] ?? .null)
    try checkPorts(config["HostConfig"]?["PortBindings"]?.objectValue)
    try checkMounts(config["HostConfig"]?["Mounts"]?.arrayValue ?? [])
  }

  private func checkHealth(_ check: JSONValue) throws {
    for key in ["Interval", "Timeout", "StartPeriod", "StartInterval"] {
      guard let value = check[key]?.intValue, value != 0, value < 1_000_000 else { continue }
      throw refusal("\(key) in Healthcheck cannot be less than 1ms")
    }
    if (check["Retries"]?.intValue ?? 0) < 0 { throw refusal("Retries in Healthcheck cannot be negative") }
  }

  private func checkLimits(_ host: JSONValue) throws {
    let memory = host["Memory"]?.intValue ?? 0
    let swap = host["MemorySwap"]?.intValue ?? 0
    if memory != 0, memory < 6 << 20 { throw refusal("Minimum memory limit allowed is 6MB") }
    if swap > 0, swap < memory { throw refusal("Minimum memoryswap limit should be larger than memory limit, see usage") }
    if swap > 0, memory == 0 { throw refusal("You should always set the Memory limit when using Memoryswap limit, see usage") }
    let processors = host["NanoCpus"]?.intValue ?? 0
    guard (0...cpus * 1_000_000_000).contains(processors) else {
      throw refusal("range of CPUs is from 0.01 to \(cpus).00, as there are only \(cpus) CPUs available")
    }
    let score = host["OomScoreAdj"]?.intValue ?? 0
    guard (-1_000...1_000).contains(score) else {
      throw refusal("Invalid value \(score), range for oom score adj is [-1000, 1000]")
    }
  }

  private func checkPorts(_ bindings: JSONObject?) throws {
    for member in bindings?.members ?? [] {
      let parts = member.key.split(separator: "/")
      guard parts.count == 2, let port = UInt16(parts[0]), port > 0, ["tcp", "udp", "sctp"].contains(parts[1]) else {
        throw refusal("invalid port specification: \"\(member.key)\"")
      }
      for text in (member.value.arrayValue ?? []).compactMap({ $0["HostPort"]?.stringValue }) {
        if !text.isEmpty, UInt16(text) == nil { throw refusal("invalid port specification: \"\(text)\"") }
      }
    }
  }

  private func checkMounts(_ mounts: [JSONValue]) throws {
    var targets: Set<String> = []
    for mount in mounts {
      let type = mount["Type"]?.stringValue ?? ""
      let target = mount["Target"]?.stringValue ?? ""
      let bad = "invalid mount config for type \"\(type)\": "
      let own = ["bind": "BindOptions", "volume": "VolumeOptions", "tmpfs": "TmpfsOptions"]
      guard own[type] != nil else { throw refusal("mount type unknown: \"\(type)\"") }
      if target.isEmpty { throw refusal(bad + "field Target must not be empty") }
      guard target.hasPrefix("/") else { throw refusal(bad + "invalid mount path: '\(target)' mount path must be absolute") }
      guard targets.insert(target).inserted else { throw refusal("Duplicate mount point: \(target)") }
      // Engines before API 1.42 let it pass.
      for key in own.values.sorted() where minor >= 42 && key != own[type] && mount[key].map({ !$0.isNull }) == true {
        throw refusal(bad + "field \(key) must not be specified")
      }
      if type == "bind", mount["Source"]?.stringValue?.hasPrefix("/") != true {
        throw refusal(bad + "invalid mount path: '\(mount["Source"]?.stringValue ?? "")' mount path must be absolute")
      }
      if type == "tmpfs", mount["Source"]?.stringValue?.isEmpty == false {
        throw refusal(bad + "field Source must not be specified")
      }
    }
  }

  /// Of containers and volumes.
  static func isName(_ name: String) -> Bool {
    guard let first = name.utf8.first, name.utf8.count > 1, isAlphanumeric(first) else { return false }
    return name.utf8.allSatisfy { isAlphanumeric($0) || "_.-".utf8.contains($0) }
  }

  private static func isAlphanumeric(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20)
  }

  private func refusal(_ text: String) -> EngineError { EngineError(.badRequest, status: 400, text) }
}
