// SPDX-License-Identifier: Apache-2.0

import Glibc
import NetworkTestKit
import Testing

@testable import Netfilter

@Suite("Rules for replies to kept addresses")
struct SourceRulesTests {
  @Test("are installed once, repaired when somebody changed them, and removed without remains")
  func life() async throws {
    let seen = try await inNamespaceOfItsOwn {
      let kernel = try SourceRulesInKernel(interfaces: ["skep-ingress", "skep-tunnel"])
      let probe = try NFTables()
      var seen: [Bool] = [try kernel.ensure(), try kernel.ensure()]
      try probe.run("flush ruleset")
      seen.append(try kernel.ensure())
      try probe.run("add rule ip \(SourceRules.table) output counter")
      seen += [try kernel.ensure(), try kernel.ensure()]
      try kernel.remove()
      try kernel.remove()
      #expect(try probe.run("list ruleset") == "")
      seen.append(try kernel.ensure())
      return seen
    }
    #expect(seen == [true, false, true, true, false, true])
  }

  @Test("leave other tables alone")
  func others() async throws {
    let listed = try await inNamespaceOfItsOwn {
      let probe = try NFTables()
      try probe.run("add table ip theirs\nadd chain ip theirs c")
      let before = try probe.run("list ruleset")
      let kernel = try SourceRulesInKernel(interfaces: ["skep-ingress", "skep-tunnel"])
      try kernel.ensure()
      try kernel.remove()
      return (before, try probe.run("list ruleset"))
    }
    #expect(listed.0 == listed.1)
  }

  @Test("a command that nftables refuses is an error with its words, and nothing of it is done")
  func refusal() async throws {
    try await inNamespaceOfItsOwn {
      let probe = try NFTables()
      let error = #expect(throws: NetfilterError.self) { try probe.run("add table ip a\nadd rule ip b c counter") }
      #expect(error?.message.contains("No such file or directory") == true, "\(error?.message ?? "")")
      #expect(try probe.run("list ruleset") == "")
    }
  }
}

@Suite("The packet filter's library")
struct NFTablesTests {
  @Test("works for a program with more descriptors open than it can count")
  func manyDescriptors() async throws {
    let held = (0..<1_500).map { _ in open("/dev/null", O_RDONLY | O_CLOEXEC) }
    defer { for descriptor in held where descriptor >= 0 { close(descriptor) } }
    #expect(held.contains { $0 > 1_024 })
    let listed = try await inNamespaceOfItsOwn {
      let filters = try (0..<20).map { _ in try NFTables() }
      for (number, filter) in filters.enumerated() { try filter.run("add table ip t\(number)") }
      return try filters[0].run("list tables").split(separator: "\n").count
    }
    #expect(listed == 20)
  }
}
