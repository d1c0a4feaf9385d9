// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Glibc
import Telemetry

struct LoadBalancerCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lb", abstract: "Look at the load balancer of this host.", subcommands: [Top.self])

  struct Top: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "What goes on at each published port and each task behind it, live.",
      discussion: """
        Rates and latencies are of the time since the last refresh, the busiest first. FAIL/S are clients turned away in the row of a \
        port, and connections not taken in the row of a task; RETRY/S are other tasks tried for the same client. P50 and P99 are how \
        long tasks took to accept.
        """)
    @Option(help: "skepd's socket for metrics.") var socket = "/run/skep/metrics.sock"
    @Option(help: "Seconds between two refreshes.") var interval = 1.0
    @Flag(help: "Look for one interval, print, and end.") var noStream = false

    func validate() throws {
      guard interval >= 0.1, interval <= 3_600 else { throw ValidationError("--interval must be between 0.1 and 3600 seconds") }
    }

    func run() async throws {
      var before = try read()
      let terminal = noStream ? nil : Terminal()
      if let terminal { print(terminal.cleared, terminator: "") }
      repeat {
        try await Task.sleep(for: .seconds(interval))
        do {
          let now = try read()
          show(LoadTable.lines(LoadChange(from: before.sample, to: now.sample, seconds: now.seconds - before.seconds)), terminal)
          before = now
        } catch  where !noStream {
          // skepd may be on its way back.
          if let terminal { show(["\(error)"], terminal) } else { printError("\(error)") }
        }
      } while !noStream
    }

    private func read() throws -> (sample: LoadSample, seconds: Double) {
      let page = try MetricsSocket(path: socket).page()
      return (LoadSample(try TextFormat.samples(in: page)), Self.now)
    }

    private static var now: Double {
      var time = timespec()
      clock_gettime(CLOCK_MONOTONIC, &time)
      return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    private func show(_ lines: [String], _ terminal: Terminal?) {
      if let terminal {
        print(LoadTable.frame(lines, columns: terminal.columns, rows: terminal.rows), terminator: "")
      } else {
        print(lines.joined(separator: "\n"))
      }
      fflush(nil)
    }
  }
}
