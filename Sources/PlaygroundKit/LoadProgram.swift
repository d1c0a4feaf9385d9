// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The load client, compiled from `Resources/load.c` when it is first needed.
enum LoadProgram {
  /// What a client that keeps its connections asks of each at most.
  static let requestsPerConnection = 100

  static func path(_ layout: Layout) async throws -> String {
    let program = "\(layout.directory)/load"
    if FileManager.default.isExecutableFile(atPath: program) { return program }
    // Under a name of its own first: two that need it at the same time both succeed.
    let draft = "\(program).\(UUID().uuidString)"
    try Data(PackageResources.load_c).write(to: URL(fileURLWithPath: "\(draft).c"))
    try await Command("gcc", ["-O2", "-Wall", "-o", draft, "\(draft).c"]).check()
    try FileManager.default.removeItem(atPath: "\(draft).c")
    guard rename(draft, program) == 0 else {
      throw PlaygroundError(.commandFailed, "cannot make \(program)", cause: String(cString: strerror(errno)))
    }
    return program
  }
}

extension Client {
  /// Sends GET requests, `parallel` at a time, and waits for all. A failed request is counted, never repeated.
  /// - Parameters:
  ///   - url: `http://ADDRESS[:PORT]/PATH`, with an IPv4 address.
  ///   - keepAlive: False gives each request a connection of its own, true 100 to each.
  ///   - limit: How long an answer may take.
  package func requests(
    _ url: String, count: Int, parallel: Int = 8, keepAlive: Bool = false, limit: Duration = .seconds(30)
  ) async throws -> RequestReport {
    guard let parts = URLComponents(string: url), parts.scheme == "http", let address = parts.host else {
      throw PlaygroundError(.badRequest, "requests go to http://ADDRESS[:PORT]/PATH, not to \(url)")
    }
    let path = (parts.path.isEmpty ? "/" : parts.path) + (parts.query.map { "?\($0)" } ?? "")
    let result = try await exec(
      [try await LoadProgram.path(layout), address, "\(parts.port ?? 80)", path, "\(count)", "\(min(parallel, count))"]
        + ["\(keepAlive ? LoadProgram.requestsPerConnection : 1)", "\(limit.components.seconds * 1000)"])
    guard result.succeeded, let report = RequestReport(load: result.stdout), report.succeeded + report.failed == count else {
      throw PlaygroundError(.commandFailed, "the load client did not tell of \(count) requests", cause: tail(result.stderr))
    }
    return report
  }
}
