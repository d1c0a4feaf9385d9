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

let package = Package(
  name: "skep",
  dependencies: [
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
    .package(url: "https://github.com/apple/swift-crypto", "4.0.0"..<"5.0.0"),
    .package(url: "https://github.com/apple/swift-asn1", from: "1.7.4"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
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
    tests("Orchestration", ["ClusterModel", "ClusterStore", "SimulationKit"]),
    // Whole clusters in one thread, seeded: for tests.
    library("SimulationKit", ["ClusterModel", "ClusterStore", "Orchestration"]),
    // The shells that run a cluster: the store's writer, the control loops, the dispatcher.
    library("Manager", ["ClusterModel", "ClusterStore"]),
    // Choosing an endpoint: tables, strategies, counts. No I/O.
    library("Balancing", ["ClusterModel"]),
    // A single manager's durable store.
    library("StoreSQLite", ["ClusterStore", .product(name: "GRDB", package: "GRDB.swift")]),
    tests("StoreSQLite", ["ClusterStore"]),
    // The cluster's certificate authority and join tokens.
    library(
      "Identity",
      [
        "ClusterModel", .product(name: "X509", package: "swift-certificates"), .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "SwiftASN1", package: "swift-asn1"),
      ]),
    tests("Identity"),
    // What managers and agents say to each other.
  ]
)
