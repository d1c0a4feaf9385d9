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
  products: [
    .library(name: "PlaygroundKit", targets: ["PlaygroundKit"])
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
  ],
  targets: [
    // Clusters on one machine, out of network namespaces: for tests, for the demo, and for trying Skep.
    .target(
      name: "PlaygroundKit",
      dependencies: [.product(name: "Subprocess", package: "swift-subprocess")],
      resources: [.embedInCode("Resources/web.c")],
      swiftSettings: settings
    ),
    tests("PlaygroundKit"),
    executable("skep", ["PlaygroundKit", .product(name: "ArgumentParser", package: "swift-argument-parser")]),

    // The vocabulary: specs, objects, ids, parsing, validation. No I/O.
    library("ClusterModel"),
    tests("ClusterModel"),
  ]
)
