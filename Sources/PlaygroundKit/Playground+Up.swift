// SPDX-License-Identifier: Apache-2.0
import Foundation

extension Playground {
  /// Makes a playground, or repairs one: what is alive stays, what is missing is made, `configuration` and a higher number of
  /// nodes are taken over for what gets started. Safe to interrupt at any point; `up` again goes on, `down` removes.
  package static func up(
    nodes: Int = 1, directory: String = Layout.defaultDirectory, configuration: Configuration = .defaults,
    progress: @Sendable (String) -> Void = { _ in }
  ) async throws -> Playground {
    guard (1...Layout.hostLimit).contains(nodes) else {
      throw PlaygroundError(.badRequest, "a playground has 1 to \(Layout.hostLimit) nodes, not \(nodes)")
    }
    let layout = try Layout(directory: directory)
    try Preflight.check(layout, configuration)
    try claim(layout)
    let lock = try await DirectoryLock(path: layout.lockFile)
    defer { withExtendedLifetime(lock) {} }
    let state = try await prepare(layout, nodes: nodes, configuration)
    let playground = Playground(layout, state)
    try await playground.makeNetwork()
    progress("starting \(playground.hosts.map(\.name).joined(separator: ", "))")
    try await withThrowingTaskGroup { group in
      for host in playground.hosts { group.addTask { try await host.start() } }
      try await group.waitForAll()
    }
    try await playground.makeWebImage(progress)
    return playground
  }

  /// A directory that holds something else is never taken: `down` removes it.
  private static func claim(_ layout: Layout) throws {
    let files = FileManager.default
    try files.createDirectory(atPath: layout.directory, withIntermediateDirectories: true)
    let entries = try files.contentsOfDirectory(atPath: layout.directory)
    // The lock is made before all else, and only in a directory that was empty.
    let ours = entries.isEmpty || [layout.stateFile, layout.lockFile].contains(where: files.fileExists)
    guard ours else {
      throw PlaygroundError(.badDirectory, "\(layout.directory) is not empty and not a playground; choose another --dir")
    }
  }

  private static func prepare(_ layout: Layout, nodes: Int, _ wanted: Configuration) async throws -> PlaygroundState {
    let old = try PlaygroundState.read(layout)
    var state = PlaygroundState(nodes: max(nodes, old?.nodes ?? 0), configuration: wanted)
    state.configuration.binaries = wanted.binaryFolder
    // An engine whose storage driver changes loses its images and containers from sight.
    if let driver = old?.configuration.storageDriver { state.configuration.storageDriver = driver }
    try state.write(layout)
    if state.configuration.storageDriver == nil {
      state.configuration.storageDriver = try await overlayWorks(layout) ? .overlay2 : .vfs
      try state.write(layout)
    }
    try FileManager.default.createDirectory(atPath: layout.clientConfiguration, withIntermediateDirectories: true)
    // A resolver that refuses at once: an engine that is asked for an unknown image then says so without delay.
    try Data("nameserver 127.0.0.1\n".utf8).write(to: URL(fileURLWithPath: layout.resolvConf))
    return state
  }

  /// Not on an overlay itself, as inside a container.
  private static func overlayWorks(_ layout: Layout) async throws -> Bool {
    let script = """
      set -e; cd "$1"; mkdir -p probe/l probe/u probe/w probe/m
      mount -t overlay overlay -o lowerdir=probe/l,upperdir=probe/u,workdir=probe/w probe/m
      """
    let result = try await Command("unshare", ["--mount", "sh", "-c", script, "probe", layout.directory]).run()
    try? FileManager.default.removeItem(atPath: "\(layout.directory)/probe")
    return result.succeeded
  }

  private func makeNetwork() async throws {
    let network = NetworkPlan(layout: layout)
    if try await network.switchIsUp().run().text.isEmpty {
      _ = try await network.removeSwitch().run()
      for command in network.makeSwitch() { try await command.check() }
    }
    if try await network.hostIsUp("client").run().text.isEmpty {
      for command in network.removeHost("client") { _ = try await command.run() }
      for command in network.makeHost("client", address: client.address) { try await command.check() }
    }
  }

  private func makeWebImage(_ progress: (String) -> Void) async throws {
    guard let image = configuration.webImage else { return }
    var tar: String?
    for host in hosts where try await !host.hasImage(image) {
      if tar == nil {
        progress("building \(image)")
        tar = try await WebImage.build(in: layout.imageDirectory)
      }
      if let tar { try await host.importImage(image, tar: tar, changes: WebImage.changes) }
    }
  }
}
