// swift-tools-version: 6.2
import PackageDescription

// One list of settings for every target of ours: warnings are errors, and the layers show on the import lines.
let settings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .treatAllWarnings(as: .error),
  // https://github.com/swiftlang/swift-evolution/blob/main/proposals/0409-access-level-on-imports.md
  .enableUpcomingFeature("InternalImportsByDefault"),
  // https://github.com/swiftlang/swift-evolution/blob/main/proposals/0335-existential-any.md
  .enableUpcomingFeature("ExistentialAny"),
]

func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func executable(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .executableTarget(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .testTarget(name: "\(name)Tests", dependencies: [.target(name: name)] + dependencies, swiftSettings: settings)
}

let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")

let package = Package(
  name: "skep",
  dependencies: [
    .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-log.git", from: "1.16.2"),
  ],
  targets: [
    // The vocabulary: specs, objects, ids, parsing, validation. No I/O.
    library("ClusterModel"),
    tests("ClusterModel"),
    // The state of a cluster as a value: transactions, indexes, records.
    library("ClusterStore", ["ClusterModel"]),
    tests("ClusterStore", ["ClusterModel"]),
    // Every decision of a leader: orchestrators, scheduler, updater, restarts, the drain barrier. No I/O, no clock.
    library("Orchestration", ["ClusterModel", "ClusterStore", "Balancing"]),
    tests("Orchestration", ["ClusterModel", "ClusterStore"]),
    // The shells that run a cluster: the store's writer, the control loops, the dispatcher.
    library("Manager", ["ClusterModel", "ClusterStore"]),
    // HTTP/1.1 over one socket, to the byte: heads, bodies, half-closes. No policy.
    library("HTTPWire", [nioCore, nioPosix]),
    tests("HTTPWire", [nioCore]),
    // The local Docker Engine, over its socket.
    library("EngineClient", ["ClusterModel", "HTTPWire", nioCore]),
    tests("EngineClient", ["ClusterModel", "HTTPWire", nioCore]),
    // What a Docker client talks to.
    library(
      "EngineAPI",
      ["ClusterModel", "ClusterRPC", "ClusterStore", "EngineClient", "HTTPWire", "Manager", nioCore, logging]),
    tests("EngineAPI", ["ClusterModel", "ClusterRPC", "ClusterStore", "EngineClient", "HTTPWire", "Manager", nioCore, logging]),
    // Choosing an endpoint: tables, strategies, counts. No I/O.
    library("Balancing", ["ClusterModel"]),
    // What managers and agents say to each other.
    library("ClusterRPC", ["Balancing", "ClusterModel"]),
  ]
)
