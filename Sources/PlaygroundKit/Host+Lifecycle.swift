// SPDX-License-Identifier: Apache-2.0
import Foundation

extension Host {
  static let daemonLimit = Duration.seconds(60)

  /// Sends a signal to a part. SIGKILL is waited for; anything else is only sent. The whole host takes SIGKILL only.
  /// With the engine goes its containerd, as with systemd; containers live on.
  package func kill(_ part: Part, signal: Int32 = SIGKILL) async throws {
    if part == .all {
      guard signal == SIGKILL else { throw PlaygroundError(.badRequest, "a whole host can only be killed with KILL") }
      return try await cutPower()
    }
    let found = pids(of: part) + (part == .engine ? containerd() : [])
    guard !found.isEmpty else { throw PlaygroundError(.notUp, "\(part.rawValue) of \(name) is not running") }
    for pid in found { _ = Glibc.kill(pid, signal) }
    guard signal == SIGKILL else { return }
    let old = Set(found)
    try await gone { old.isDisjoint(with: pids(of: part) + (part == .engine ? containerd() : [])) }
  }

  /// Ends a part as a service manager does: SIGTERM, and waits until it is gone. The whole host's orderly shutdown ends skepd before
  /// the engine, both relay and containers after them.
  package func stop(_ part: Part) async throws {
    switch part {
    case .all:
      for part in [Part.skepd, .engine] { try await stop(part) }
      try await cutPower()
    default:
      let found = Set(pids(of: part))
      for pid in found { _ = Glibc.kill(pid, SIGTERM) }
      try await gone(Self.daemonLimit) { found.isDisjoint(with: pids(of: part)) }
    }
  }

  /// Starts what is not alive of a part and what it needs, and waits until it answers. What is alive stays as it is.
  /// - Parameter relay: whether a skepd that is started must come to have a relay; one that finishes a leave has none.
  package func start(_ part: Part = .all, relay: Bool = true) async throws {
    try await boot()
    try await startEngine()
    guard plan.configuration.daemons == .all, part != .engine else { return }
    // A skepd that has left its swarm has no relay, and needs none until the next.
    let isNew = pid(of: .skepd) == nil
    try await startSkepd()
    guard relay, isNew || part == .relay else { return }
    try await ready("the relay of \(name)", log: "skepd.log") {
      guard pid(of: .skepd) != nil else { throw notReady("skepd of \(name) ended", "skepd.log") }
      return pid(of: .relay)
    }
  }

  /// Kills a container's first process behind the engine's back, as a crash would: the engine's restart policy and everything
  /// above see a failure, not a stop.
  package func crash(container: String) async throws {
    let pid = try await checkedDocker(["inspect", "--type", "container", "--format", "{{.State.Pid}}", container], via: .engine)
      .text
    guard pid != "0" else { throw PlaygroundError(.notUp, "container \(container) of \(name) is not running") }
    let result = try await exec(["kill", "-KILL", pid])
    guard result.succeeded else { throw PlaygroundError(.commandFailed, "cannot kill process \(pid)", cause: result.stderr) }
  }

  private func containerd() -> [Int32] {
    let table = ProcessTable.now()
    guard let hostInit = table.hostInit(plan.initName) else { return [] }
    return table.onHost(hostInit).filter { $0.executable == "containerd" }.map(\.pid)
  }

  private func cutPower() async throws {
    if let hostInit = pid(of: .all) { _ = Glibc.kill(hostInit, SIGKILL) }
    try await gone { pid(of: .all) == nil }
    for command in network.removeHost(name) { _ = try await command.run() }
  }

  private func gone(_ limit: Duration = .seconds(10), _ check: () -> Bool) async throws {
    guard try await eventually(limit, { check() }) else {
      throw PlaygroundError(.notReady, "processes of \(name) survive the signal that was to end them")
    }
  }

  private func boot() async throws {
    if pid(of: .all) != nil { return }
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    for command in network.removeHost(name) { _ = try await command.run() }
    for command in network.makeHost(name, address: address) { try await command.check() }
    // After a power cut nobody listens on these any more.
    for socket in [engineSocket, apiSocket] { unlink(socket) }
    try await plan.boot().check()
    try await ready("host \(name)", log: "host.log", limit: .seconds(10)) { pid(of: .all) }
  }

  private func startEngine() async throws {
    guard let hostInit = pid(of: .all) else { return }
    if pid(of: .engine) == nil { try await plan.engine(hostInit).check() }
    try await answers(.engine, log: "engine.log")
  }

  private func startSkepd() async throws {
    guard let hostInit = pid(of: .all) else { return }
    if pid(of: .skepd) == nil { try await plan.skepd(hostInit).check() }
    try await answers(.skepd, log: "skepd.log")
  }

  /// Waits for the API. A daemon that ended instead is reported at once.
  private func answers(_ part: Part, log: String) async throws {
    let ping = dockerCommand(["version", "--format", "{{.Server.Version}}"], via: part == .engine ? .engine : .skepd)
    try await ready("\(part.rawValue) of \(name)", log: log) {
      if try await ping.run().succeeded { return Int32(0) }
      // The daemon is started in the background: a first look may come before its exec.
      let alive = try await eventually(.milliseconds(500), { pid(of: part) })
      guard alive != nil else { throw notReady("\(part.rawValue) of \(name) ended", log) }
      return nil
    }
  }

  private func ready(_ what: String, log: String, limit: Duration = daemonLimit, _ look: () async throws -> Int32?) async throws {
    guard try await eventually(limit, every: .milliseconds(50), look) != nil else {
      throw notReady("\(what) didn't come up", log)
    }
  }

  private func notReady(_ message: String, _ log: String) -> PlaygroundError {
    let text = FileManager.default.contents(atPath: "\(directory)/\(log)").map { String(decoding: $0, as: UTF8.self) } ?? ""
    return PlaygroundError(.notReady, "\(message); see \(directory)/\(log)", cause: tail(text))
  }
}
