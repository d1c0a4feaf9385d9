// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterStore
import Foundation
import Manager
import StoreSQLite

/// Many simulated agents of one manager, all in this process: they join, and then services are created until all tasks run. Prints what
/// each phase cost, as JSON.
///
///     agents-program AGENTS TASKS SERVICES DIRECTORY [publish]
@main struct AgentsProgram {
  static func main() async throws {
    let arguments = CommandLine.arguments
    guard arguments.count >= 5, let agents = Int(arguments[1]), let tasks = Int(arguments[2]), let services = Int(arguments[3])
    else { throw Failure(message: "usage: agents-program AGENTS TASKS SERVICES DIRECTORY [publish]") }
    let backend = try await SQLiteBackend.create(directory: arguments[4], epochBase: 0)
    let manager = try await ManagerSide(store: try await Store(backend: backend))
    let load = Load(agents: agents, tasks: tasks, services: services, isPublished: arguments.contains("publish"))
    let report = try await load.run(on: manager)
    print(String(decoding: try JSONEncoder().encode(report), as: UTF8.self))
    // The agents would have to hear of their end from each other.
    exit(0)
  }

  struct Failure: Error { var message: String }
}
