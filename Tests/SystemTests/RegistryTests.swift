// SPDX-License-Identifier: Apache-2.0

import Foundation
import PlaygroundKit
import Testing

extension SystemTests {
  @Test("A private registry: images come with the service's credentials, also later, and nobody can read these")
  func privateRegistry() async throws {
    try await Fixture.with(Configuration(logLevel: "debug")) { n1 in
      try await n1.withRegistry {
        try await n1.publish("web:1")
        let anonymous = try await n1.host.checkedDocker(
          ["service", "create", "--detach", "--name", "refused", "--restart-delay", "10s", Registry.image("web:1")])
        #expect(anonymous.stderr.contains("could not be accessed on a registry to record"))
        try await n1.rejects("refused", "No such image: \(Registry.image("web:1"))")

        try await n1.create("web", replicas: 1, port: nil, "--with-registry-auth", image: Registry.image("web:1"))
        let image = try await n1.docker("service", "inspect", "--format", "{{.Spec.TaskTemplate.ContainerSpec.Image}}", "web")
        #expect(image.hasPrefix(Registry.image("web:1@sha256:")))
        // A container that is gone while its image is, too.
        try await n1.withoutSkepd { try await n1.remove("web", with: image) }
        try await n1.settled("web", 1)
        try await n1.docker("service", "scale", "--detach", "web=0")
        try await n1.settled("web", 0)
        try await n1.remove("web", with: image)
        try await n1.docker("service", "update", "--quiet", "--detach", "--replicas", "1", "--env-add", "A=1", "web")
        try await n1.settled("web", 1)
        try await n1.expectHidden("web")

        try await n1.losesSealingKey("web", image: image)
      }
      // The registry is away now: what is there is used.
      try await n1.engine("tag", "skep-web", Registry.image("web:2"))
      try await n1.create(
        "local", replicas: 1, port: nil, "--with-registry-auth", "--no-resolve-image", image: Registry.image("web:2"))
      #expect(n1.log.contains("pulling image failed"))
    }
  }
}

/// A registry on the host's own loopback address, which an engine trusts without TLS.
private enum Registry {
  static let user = "keeper"
  static let password = "open-sesame-4711"
  /// Of the password, by bcrypt, which is all that the registry takes.
  static let entry = "\(user):$2b$04$abcdefghijklmnopqrstuuo6bT7LAS3oDMO8ApB/N/H/clbsiEgqi\n"
  /// `{"username":` as X-Registry-Auth has it.
  static let headerStart = "eyJ1c2VybmFtZSI6"
  static let address = "127.0.0.1:5000"

  static func image(_ name: String) -> String { "\(address)/private/\(name)" }

  static func configuration(in folder: String) -> String {
    """
    version: 0.1
    log: {level: error, accesslog: {disabled: true}}
    storage: {filesystem: {rootdirectory: \(folder)/images}}
    http: {addr: "\(address)"}
    auth: {htpasswd: {realm: private, path: \(folder)/htpasswd}}
    """
  }
}

extension Fixture {
  /// With a registry that lives as long as `body`, and the CLI logged in to it.
  fileprivate func withRegistry(_ body: @escaping @Sendable () async throws -> Void) async throws {
    let folder = "\(playground.layout.directory)/registry"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try Registry.entry.write(toFile: "\(folder)/htpasswd", atomically: true, encoding: .utf8)
    try Registry.configuration(in: folder).write(toFile: "\(folder)/config.yml", atomically: true, encoding: .utf8)
    let server = try host.execCommand(["docker-registry", "serve", "\(folder)/config.yml"])
    try await withThrowingTaskGroup { group in
      group.addTask {
        let result = try await server.run()
        try Task.checkCancellation()
        throw PlaygroundError(.commandFailed, "the registry ended", cause: result.stderr)
      }
      group.addTask {
        try await wait("the registry answers") {
          try await host.exec(["curl", "--silent", "http://\(Registry.address)"]).succeeded
        }
        let login = ["login", "--username", Registry.user, "--password-stdin", Registry.address]
        let result = try await host.docker(login, input: Registry.password)
        #expect(result.succeeded, "\(result.stderr)")
        try await body()
      }
      defer { group.cancelAll() }
      try await group.next()
    }
  }

  /// Puts an image of its own into the registry, and leaves it nowhere else: of the web image's id the engine would remember all.
  fileprivate func publish(_ name: String) async throws {
    try await docker("create", "--name", "base", "skep-web")
    try await docker("commit", "--change", "LABEL private=yes", "base", Registry.image(name))
    try await docker("rm", "base")
    try await docker("push", "--quiet", Registry.image(name))
    try await docker("rmi", Registry.image(name))
  }

  fileprivate func withoutSkepd(_ body: () async throws -> Void) async throws {
    try await host.kill(.skepd)
    try await body()
    try await host.start(.skepd)
  }

  /// The service's containers, so that its image is no longer used, and the image.
  fileprivate func remove(_ service: String, with image: String) async throws {
    for container in try await containers(service) { try await engine("rm", "--force", container.id) }
    try await engine("rmi", image)
    #expect(try await host.docker(["image", "inspect", image], via: .engine).succeeded == false)
  }

  fileprivate func rejects(_ service: String, _ reason: String) async throws {
    try await wait("\(service) is rejected: \(reason)") {
      try await docker("service", "ps", "--no-trunc", "--format", "{{.CurrentState}} {{.Error}}", service)
        .split(separator: "\n").contains { $0.hasPrefix("Rejected") && $0.contains(reason) }
    }
  }

  /// Without the key the service runs on, and pulls nothing until its credentials are given again.
  fileprivate func losesSealingKey(_ service: String, image: String) async throws {
    let before = try await running(service)
    try await withoutSkepd { try FileManager.default.removeItem(atPath: "\(stateDirectory)/secrets.key") }
    try await settled(service, 1)
    #expect(try await running(service) == before)
    #expect(log.contains("registry credentials cannot be read: services run on"))
    try await withoutSkepd { try await remove(service, with: image) }
    try await rejects(service, "No such image: \(image)")
    #expect(log.contains("registry credentials cannot be read: pulling without"))
    try await docker("service", "update", "--quiet", "--detach", "--with-registry-auth", service)
    try await settled(service, 1)
  }

  /// Nothing that the host keeps or tells has the password, or the beginning of the header that holds it.
  fileprivate func expectHidden(_ service: String) async throws {
    let secrets = [Registry.password, Registry.headerStart]
    let container = try #require(try await running(service).first)
    for arguments in [["service", "inspect", service], ["inspect", container], ["events", "--since", "0", "--until", "0s"]] {
      let told = try await host.checkedDocker(arguments).stdout
      #expect(!secrets.contains { told.contains($0) }, "docker \(arguments)")
    }
    #expect(try await files(with: secrets, in: "\(host.directory)/state") == [])
    #expect(try await files(with: secrets, in: "\(host.directory)/skepd.log", "\(host.directory)/engine.log") == [])
  }

  private func files(with secrets: [String], in paths: String...) async throws -> [String] {
    try await Command(
      "grep", ["--recursive", "--text", "--files-with-matches", "--fixed-strings"] + secrets.flatMap { ["-e", $0] } + paths
    ).run().lines
  }
}
