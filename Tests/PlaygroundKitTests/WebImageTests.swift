// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import PlaygroundKit

@Suite struct WebImageTests {
  /// The server in a container of an engine-only playground; requests come from the client.
  struct Server {
    let playground: Playground
    let host: Host

    /// The body and the status of the answer.
    func get(_ path: String) async throws -> String {
      try await playground.client.exec(["curl", "-sS", "-w", "%{http_code}", "http://10.77.0.1\(path)"]).stdout
    }
  }

  func withServer(_ options: [String] = [], listening: Bool = true, _ body: (Server) async throws -> Void) async throws {
    let playground = try await Playground.up(
      directory: Playground.scratchDirectory(), configuration: Configuration(daemons: .engineOnly))
    do {
      let host = try playground.host("n1")
      try await host.checkedDocker(["run", "-d", "--name", "web", "--hostname", "me", "-p", "80:80"] + options + [WebImage.name])
      let server = Server(playground: playground, host: host)
      if listening { #expect(try await eventually(.seconds(20)) { try await server.get("/") == "me\n200" }) }
      try await body(server)
    } catch {
      try await playground.down()
      throw error
    }
    try await playground.down()
  }

  @Test("The server answers, tells its health, and exits as asked", .timeLimit(.minutes(2)))
  func answers() async throws {
    try await withServer { (server: Server) async throws in
      #expect(try await server.get("/") == "me\n200")
      #expect(try await server.get("/slow?ms=5") == "me\n200")
      #expect(try await server.get("/nothing") == "not found\n404")
      #expect(try await server.get("/health") == "healthy\n200")
      #expect(try await server.get("/unhealthy") == "unhealthy from now on\n200")
      #expect(try await server.get("/health") == "unhealthy\n503")
      #expect(try await server.host.docker(["exec", "web", "wget", "-qO-", "http://127.0.0.1/"]).text == "me")
      #expect(try await server.get("/exit?code=7") == "bye\n200")
      #expect(try await server.host.docker(["wait", "web"]).text == "7")
    }
  }

  @Test("Ten thousand requests are counted one by one, with and without a connection of their own", .timeLimit(.minutes(2)))
  func manyRequests() async throws {
    try await withServer { (server: Server) async throws in
      for keepAlive in [true, false] {
        let report = try await server.playground.client.requests("http://10.77.0.1/", count: 10_000, keepAlive: keepAlive)
        #expect(report.answers == ["me": 10_000])
        #expect(report.failures == [:])
        #expect(keepAlive ? (100...108).contains(report.connections) : report.connections == 10_000)
      }
    }
  }

  @Test("Requests that fail are counted with their reason", .timeLimit(.minutes(2)))
  func failedRequests() async throws {
    try await withServer { (server: Server) async throws in
      let client = server.playground.client
      #expect(try await client.requests("http://10.77.0.1/nothing", count: 20).failures == ["status 404": 20])
      #expect(try await client.requests("http://10.77.0.1:81/", count: 20).failures == ["refused at connect": 20])
      let late = try await client.requests("http://10.77.0.1/slow?ms=5000", count: 2, limit: .seconds(1))
      #expect(late.failures == ["timed out before an answer": 2])
      #expect(try await client.requests("http://10.77.0.1/drip?ms=100", count: 2).failures == [:])
      async let slow = client.requests("http://10.77.0.1/drip?ms=20000", count: 4)
      let open = ["sh", "-c", "grep -c ':0050 .* 01 ' /proc/net/tcp"]
      #expect(
        try await eventually(.seconds(10)) { try await server.host.docker(["exec", "web"] + open).text == "4" ? true : nil }
          == true)
      try await server.host.crash(container: "web")
      let report = try await slow
      #expect(report.failed == 4)
      #expect(report.succeeded == 0)
      #expect(report.failures.keys.allSatisfy { $0.hasSuffix(" an answer") }, "\(report.failures)")
      #expect(try await server.host.docker(["wait", "web"]).text == "137")
    }
  }

  @Test("On SIGTERM the open request is finished, new ones are refused, and the status is 0", .timeLimit(.minutes(2)))
  func graceful() async throws {
    try await withServer { (server: Server) async throws in
      async let slow = server.get("/slow?ms=1500")
      let open = ["sh", "-c", "grep -c ':0050 .* 01 ' /proc/net/tcp"]
      #expect(
        try await eventually(.seconds(10)) { try await server.host.docker(["exec", "web"] + open).text == "1" ? true : nil }
          == true)
      try await server.host.checkedDocker(["stop", "--time", "10", "web"])
      #expect(try await slow == "me\n200")
      #expect(try await server.host.docker(["inspect", "--format", "{{.State.ExitCode}}", "web"]).text == "0")
    }
  }

  @Test("With START_DELAY_MS it listens later", .timeLimit(.minutes(2)))
  func delayed() async throws {
    try await withServer(["--env", "START_DELAY_MS=60000"], listening: false) { (server: Server) async throws in
      let early = try await server.host.docker(["exec", "web", "wget", "-qO-", "http://127.0.0.1/"])
      #expect(!early.succeeded)
      let started = ContinuousClock.now
      try await server.host.checkedDocker(["stop", "--time", "30", "web"])
      #expect(ContinuousClock.now - started < .seconds(20))
    }
  }
}
