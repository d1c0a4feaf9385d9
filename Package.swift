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
    // What managers and agents say to each other.
    library("ClusterRPC", ["ClusterModel", "Balancing"]),

    // Traffic. Balancing decides which endpoint takes a connection, without I/O; DataPlane is the sockets around it.
    library("Balancing"),
    tests("Balancing"),
    .target(name: "CLinux"),
    library("DataPlane", ["Balancing", "CLinux"]),
    // The tests kill and restart the real relay, so it must have been built.
    tests("DataPlane", ["Balancing", "CLinux", "skep-relay"]),
    executable("skep-relay", ["DataPlane"]),

    // HTTP/1.1 over one socket, to the byte: heads, bodies, half-closes. No policy.
    library("HTTPWire", [nioCore, nioPosix]),
    tests("HTTPWire", [nioCore]),
    // The local Docker Engine, over its socket.
    library("EngineClient", ["ClusterModel", "HTTPWire", nioCore]),
    tests("EngineClient", ["ClusterModel", "HTTPWire", nioCore]),
    // What a Docker client talks to.
    library("EngineAPI", ["ClusterModel", "HTTPWire", nioCore, logging]),
    tests("EngineAPI", ["ClusterModel", "HTTPWire", nioCore, logging]),

    // A node's tasks on its own engine, and its traffic.
    library("NodeAgent", ["Balancing", "ClusterModel", "ClusterRPC", "EngineClient", nioCore, logging]),
    // An engine in memory that refuses what a real one refuses.
    library("EngineTestKit", ["ClusterModel", "EngineClient", nioCore]),
    tests("NodeAgent", ["Balancing", "ClusterModel", "ClusterRPC", "EngineClient", "EngineTestKit", nioCore, logging]),
  ]
)
