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
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
  name: "skep",
  products: [
    .executable(name: "skepd", targets: ["skepd"]),
    .executable(name: "skep", targets: ["skep"]),
    .executable(name: "skep-relay", targets: ["skep-relay"]),
    .library(name: "EngineTestKit", targets: ["EngineTestKit"]),
    .library(name: "PlaygroundKit", targets: ["PlaygroundKit"]),
  ],
  dependencies: [
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-asn1", from: "1.7.4"),
    .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-crypto", "4.0.0"..<"5.0.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
    .package(url: "https://github.com/grpc/grpc-swift-2", from: "2.4.3"),
    .package(url: "https://github.com/grpc/grpc-swift-nio-transport", from: "2.9.2"),
    .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
  ],
  targets: [
    // The vocabulary: specs, objects, ids, parsing, validation. No I/O.
    library("ClusterModel"),
    tests("ClusterModel"),

    // The pure core: decisions as values. No I/O, no clock, no randomness of their own.
    library("ClusterStore", ["ClusterModel"]),
    tests("ClusterStore", ["ClusterModel"]),
    library("Telemetry"),
    tests("Telemetry"),
    library("Balancing", ["ClusterModel"]),
    tests("Balancing", ["ClusterModel"]),
    library(
      "Orchestration",
      ["Balancing", "ClusterModel", "ClusterStore", .product(name: "HeapModule", package: "swift-collections")]),
    tests("Orchestration", ["Balancing", "ClusterModel", "ClusterStore", "SimulationKit"]),

    // The edges: each one kind of I/O.
    .target(name: "CLinux"),
    library("ServiceManager", ["CLinux"]),
    tests("ServiceManager"),
    library("DataPlane", ["Balancing", "CLinux", "ClusterModel", "ServiceManager"]),
    // The tests kill and restart the real relay, so it must have been built.
    tests("DataPlane", ["Balancing", "CLinux", "ClusterModel", "skep-relay"]),
    library("Netlink", ["CLinux", "ClusterModel"]),
    tests("Netlink", ["ClusterModel", "NetworkTestKit"]),
    .systemLibrary(name: "CNFTables", providers: [.apt(["libnftables-dev"])]),
    library("Netfilter", ["Balancing", "CLinux", "CNFTables", "ClusterModel", "Netlink", logging]),
    tests("Netfilter", ["Balancing", "CLinux", "ClusterModel", "Netlink", "NetworkTestKit", logging]),
    library(
      "Overlay",
      [
        "Balancing", "ClusterModel", "Netfilter", "Netlink", nioCore, nioPosix, logging,
        .product(name: "Subprocess", package: "swift-subprocess"),
      ]),
    tests("Overlay", ["Balancing", "CLinux", "ClusterModel", "Netfilter", "Netlink", "NetworkTestKit", nioCore, logging]),
    library("HTTPWire", [nioCore, nioPosix]),
    tests("HTTPWire", ["SocketTestKit", nioCore]),
    library("EngineClient", ["ClusterModel", "HTTPWire", nioCore]),
    tests("EngineClient", ["ClusterModel", "HTTPWire", "SocketTestKit", nioCore]),
    library("ClusterRPC", ["Balancing", "ClusterModel"]),
    tests("ClusterRPC", ["Balancing", "ClusterModel"]),
    library("StoreSQLite", ["ClusterStore", .product(name: "GRDB", package: "GRDB.swift")]),
    tests("StoreSQLite", ["ClusterStore"]),
    library(
      "Identity",
      [
        "ClusterModel", .product(name: "X509", package: "swift-certificates"), .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "SwiftASN1", package: "swift-asn1"),
      ]),
    tests("Identity", ["ClusterModel"]),
    library(
      "ClusterTransport",
      [
        "ClusterModel", "ClusterRPC", "Identity", nioCore, nioPosix, logging, .product(name: "NIOTLS", package: "swift-nio"),
        .product(name: "GRPCCore", package: "grpc-swift-2"),
        .product(name: "GRPCNIOTransportHTTP2Posix", package: "grpc-swift-nio-transport"),
        .product(name: "NIOCertificateReloading", package: "swift-nio-extras"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"), .product(name: "X509", package: "swift-certificates"),
      ]),
    tests(
      "ClusterTransport",
      [
        "Balancing", "ClusterModel", "ClusterRPC", "EngineTestKit", "Identity", logging,
        .product(name: "GRPCCore", package: "grpc-swift-2"),
        .product(name: "GRPCNIOTransportHTTP2Posix", package: "grpc-swift-nio-transport"),
      ]),

    // The shells: HTTP front, control loops, task controllers.
    library("Manager", ["Balancing", "ClusterModel", "ClusterRPC", "ClusterStore", "Orchestration", logging]),
    tests("Manager", ["Balancing", "ClusterModel", "ClusterRPC", "ClusterStore", "Orchestration"]),
    library("NodeAgent", ["Balancing", "ClusterModel", "ClusterRPC", "EngineClient", logging]),
    tests("NodeAgent", ["Balancing", "ClusterModel", "ClusterRPC", "EngineClient", "EngineTestKit", "Identity", logging]),
    library(
      "EngineAPI",
      ["ClusterModel", "ClusterRPC", "ClusterStore", "EngineClient", "HTTPWire", "Manager", "Orchestration", nioCore, logging]),
    tests(
      "EngineAPI",
      [
        "ClusterModel", "ClusterRPC", "ClusterStore", "EngineClient", "EngineTestKit", "HTTPWire", "Identity", "Manager",
        "SocketTestKit", nioCore, logging,
      ]),

    // The programs: parse, compose, run.
    executable(
      "skepd",
      [
        "Balancing", "CLinux", "ClusterModel", "ClusterRPC", "ClusterStore", "ClusterTransport", "DataPlane", "EngineAPI",
        "EngineClient", "Identity", "Manager", "Netfilter", "NodeAgent", "Overlay", "ServiceManager", "StoreSQLite", "Telemetry",
        arguments,
        logging, nioCore,
      ]),
    tests("skepd", ["Balancing", "ClusterModel", "DataPlane", "EngineAPI", "Identity", "Telemetry", logging]),
    executable("skep", ["PlaygroundKit", "Telemetry", arguments]),
    tests("skep", ["SocketTestKit"]),
    executable("skep-relay", ["DataPlane", "ServiceManager"]),
    .executableTarget(
      name: "relay-program", dependencies: ["Balancing", "ClusterModel", "DataPlane"], path: "Benchmarks/relay/Program",
      swiftSettings: settings),
    .executableTarget(
      name: "agents-program",
      dependencies: [
        "Balancing", "ClusterModel", "ClusterRPC", "ClusterStore", "Manager", "Orchestration", "StoreSQLite", logging,
      ],
      path: "Benchmarks/agents/Program", swiftSettings: settings),
    .executableTarget(
      name: "scheduler-program", dependencies: ["ClusterModel", "ClusterStore", "Manager", "Orchestration", "StoreSQLite"],
      path: "Benchmarks/scheduler/Program", swiftSettings: settings),

    // Test and demo kits.
    library("SimulationKit", ["Balancing", "ClusterModel", "ClusterStore", "Orchestration"]),
    library("EngineTestKit", ["ClusterModel", "EngineClient"]),
    tests("EngineTestKit", ["ClusterModel", "EngineClient"]),
    // Servers and clients on unix sockets in a folder of their own.
    .target(
      name: "SocketTestKit", dependencies: ["HTTPWire", nioCore], path: "Tests/SocketTestKit", swiftSettings: settings),
    // Network namespaces of a test's own.
    .target(name: "NetworkTestKit", dependencies: ["CLinux"], path: "Tests/NetworkTestKit", swiftSettings: settings),
    .target(
      name: "PlaygroundKit", dependencies: [.product(name: "Subprocess", package: "swift-subprocess")],
      resources: [.embedInCode("Resources/web.c"), .embedInCode("Resources/load.c")], swiftSettings: settings),
    tests("PlaygroundKit"),

    // The real thing: the playground's hosts, driven by the real docker CLI.
    .testTarget(
      name: "SystemTests", dependencies: ["PlaygroundKit", "Telemetry", "skep", "skepd", "skep-relay"], path: "Tests/SystemTests",
      exclude: ["Fixtures", "Faults/clock.c"],
      swiftSettings: settings),
  ]
)
