// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import Telemetry

/// What this process uses, as every scraper's client library tells it.
struct ProcessUsage: Equatable {
  var seconds: Double
  var addressSpace: Int
  var resident: Int
  /// Since the host booted.
  var startedAfter: Double

  /// From `/proc/self/stat` (proc(5)); `nil` if it is none.
  init?(stat: String, ticksPerSecond: Double, pageSize: Int) {
    // The program's name, in parentheses, may hold anything.
    guard let name = stat.lastIndex(of: ")") else { return nil }
    let fields = stat[stat.index(after: name)...].split(whereSeparator: \.isWhitespace)
    guard fields.count > 21, let user = Double(fields[11]), let system = Double(fields[12]), let start = Double(fields[19]),
      let addressSpace = Int(fields[20]), let pages = Int(fields[21])
    else { return nil }
    seconds = (user + system) / ticksPerSecond
    self.addressSpace = addressSpace
    resident = pages * pageSize
    startedAfter = start / ticksPerSecond
  }

  static func families() -> [MetricFamily] {
    guard let stat = contents("/proc/self/stat"),
      let usage = ProcessUsage(
        stat: stat, ticksPerSecond: Double(sysconf(Int32(_SC_CLK_TCK))), pageSize: sysconf(Int32(_SC_PAGESIZE)))
    else { return [] }
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    var (cpu, start) = (MetricFamily(.processCPU), MetricFamily(.processStart))
    cpu.add([], usage.seconds)
    if let boot { start.add([], boot + usage.startedAfter) }
    return [
      cpu, .one(.processMemory, usage.resident), .one(.processAddressSpace, usage.addressSpace),
      .one(.processDescriptors, (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? 0),
      .one(.processDescriptorLimit, limit.rlim_cur), start,
    ]
  }

  /// When the host booted, by the wall clock.
  private static var boot: Double? {
    let line = contents("/proc/stat")?.split(separator: "\n").first { $0.hasPrefix("btime ") }
    return line.flatMap { Double($0.dropFirst("btime ".count)) }
  }

  private static func contents(_ path: String) -> String? {
    FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
  }
}
