// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import EngineAPI
import Logging
import Testing

@testable import skepd

@Suite("skepd's options")
struct OptionsTests {
  private static func options(
    _ flags: [Setting: String] = [:], _ environment: [String: String] = [:], _ file: [Setting: String] = [:]
  ) throws -> Options {
    try Options(flags: flags, environment: environment, file: file, executableDirectory: "/usr/sbin")
  }

  @Test("defaults are those of the manual")
  func defaults() throws {
    #expect(
      try Self.options()
        == Options(
          engine: "/var/run/docker.sock", listen: ["/run/skep/docker.sock"], stateDirectory: "/var/lib/skep",
          runDirectory: "/run/skep",
          advertiseAddress: nil, relay: "/usr/sbin/skep-relay", logLevel: .info))
  }

  @Test("a flag beats the environment, which beats the file")
  func precedence() throws {
    let file: [Setting: String] = [.stateDir: "/file", .logLevel: "debug", .relay: "/file/relay"]
    let environment = ["SKEP_STATE_DIR": "/environment", "SKEP_LOG_LEVEL": "error"]
    let options = try Self.options([.stateDir: "/flag"], environment, file)
    #expect(options.stateDirectory == "/flag")
    #expect(options.logLevel == .error)
    #expect(options.relay == "/file/relay")
  }

  @Test(
    "an impossible value is refused by name",
    arguments: [
      ([.engine: "tcp://x"], "--engine: \"tcp://x\" is not of the form unix:///path/to.sock"),
      ([.relay: "relay"], "--relay: \"relay\" is neither an absolute path nor external"),
      ([.stateDir: "here"], "--state-dir: \"here\" is not an absolute path"),
      (
        [.logLevel: "loud"],
        "--log-level: \"loud\" is no log level; there are trace, debug, info, notice, warning, error, critical"
      ),
      ([.listen: "unix:///a,"], "--listen: \"\" is not of the form unix:///path/to.sock"),
      ([.metricsAddr: "9323"], "--metrics-addr: \"9323\" is no address and port, such as 127.0.0.1:9323 or [::1]:9323"),
      (
        [.listen: "unix:///run/skep/metrics.sock"], "listen and the metrics are the same socket /run/skep/metrics.sock"
      ),
      (
        [.listen: "unix:///var/run/docker.sock"],
        "engine and listen are the same socket /var/run/docker.sock: Skep must listen on another one than the engine"
      ),
    ] as [([Setting: String], String)])
  func refusal(flags: [Setting: String], message: String) {
    do {
      _ = try Self.options(flags)
      Issue.record("accepted")
    } catch { #expect("\(error)" == message) }
  }

  @Test("metrics are told on a socket in the run directory, and on an address if there is one")
  func metrics() throws {
    let options = try Self.options([.runDir: "/run/x", .metricsAddr: "[::1]:9323"])
    #expect(options.metricsSocket == "/run/x/metrics.sock")
    #expect(options.metricsAddress == .tcp(host: "::1", port: 9_323))
  }

  @Test("a relay that is a service of its own has no program")
  func externalRelay() throws { #expect(try Self.options([.relay: "external"]).relay == nil) }

  @Test("the file's keys are the flags' names; lists are lists")
  func file() throws {
    let text = #"{"listen": ["unix:///a", "unix:///b"], "log-level": "warning"}"#
    let settings = try ConfigFile.parse(Array(text.utf8), file: "f")
    #expect(try Self.options([:], [:], settings).listen == ["/a", "/b"])
  }

  @Test(
    "a file that cannot be meant is refused with the key",
    arguments: [
      (#"{"statedir": "/x"}"#, "unknown key \"statedir\""), (#"{"engine": 5}"#, "\"engine\" must be a string"),
      ("[]", "one JSON object"),
      ("{", "is not JSON: unexpected EOF at byte 1"),
    ])
  func badFile(text: String, part: String) {
    do {
      _ = try ConfigFile.parse(Array(text.utf8), file: "f")
      Issue.record("accepted")
    } catch { #expect("\(error)".contains(part)) }
  }

  @Test(
    "log lines are quoted where they must be",
    arguments: [("plain", "plain"), ("", #""""#), ("a b", #""a b""#), ("x=\"1\"", #""x=\"1\"""#)])
  func quoting(text: String, quoted: String) { #expect(LogfmtHandler.quoted(text) == quoted) }

  @Test("the journal gets a priority for the time", arguments: [(Logger.Level.error, "<3>"), (.info, "<6>"), (.trace, "<7>")])
  func journal(level: Logger.Level, prefix: String) {
    #expect(LogfmtHandler(level: .info, isForJournal: true).prefix(level) == prefix)
    #expect(LogfmtHandler(level: .info, isForJournal: false).prefix(level).hasPrefix("time="))
  }
}
