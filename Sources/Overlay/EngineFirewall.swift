// SPDX-License-Identifier: Apache-2.0

import Netfilter
import Subprocess

/// The engine's packet filter lets nothing through between networks but what it has published itself. It leaves the chain
/// `DOCKER-USER`, which it asks first, to its users. It is made with `iptables`, in whichever of its two kinds the engine uses, so
/// that program is used here too.
///
/// An engine with the nftables backend (29 on) has no such chain; there the bridge itself is made to let everything in, and `MeshRules`
/// keep it shut.
package struct EngineFirewall: Sendable {
  private static let chain = "DOCKER-USER"

  private let rules: [[String]]

  /// `bridge` is that of the ingress network.
  package init(bridge: String) {
    let mark = "0x\(String(OffloadMark.bit, radix: 16))"
    rules = [
      ["-i", MeshPlan.device, "-o", bridge], ["-m", "connmark", "--mark", "\(mark)/\(mark)"],
    ]
  }

  private static func rule(_ match: [String]) -> [String] {
    match + ["-m", "comment", "--comment", "skep", "-j", "ACCEPT"]
  }

  /// How many were missing. Nothing is done while there is no chain; throws when `iptables` cannot be run or refuses.
  package func ensure() async throws -> Int {
    guard try await run(["-n", "-L", Self.chain, "1"]) else { return 0 }
    var added = 0
    for rule in rules.map(Self.rule) where try await !run(["-C", Self.chain] + rule) {
      guard try await run(["-I", Self.chain] + rule) else {
        throw NetfilterError(.system, "iptables refused a rule in \(Self.chain): \(rule.joined(separator: " "))")
      }
      added += 1
    }
    return added
  }

  /// Those that are there.
  package func remove() async throws {
    for rule in rules.map(Self.rule) {
      // Twice only if somebody added it by hand.
      while try await run(["-D", Self.chain] + rule) {}
    }
  }

  /// Whether it said yes. Waits for whoever else is changing the filter.
  private func run(_ arguments: [String]) async throws -> Bool {
    do {
      let result = try await Subprocess.run(
        .name("iptables"), arguments: Arguments(["-w", "5"] + arguments), output: .discarded, error: .discarded)
      return result.terminationStatus.isSuccess
    } catch let error as SubprocessError {
      throw NetfilterError(.system, "iptables cannot be run: \(error)")
    }
  }
}
