// SPDX-License-Identifier: Apache-2.0

import CLinux
import CNFTables
import Glibc

package struct NetfilterError: Error, Hashable, Sendable, CustomStringConvertible {
  package enum Code: String, Sendable {
    /// libnftables, or the kernel through it, refused.
    case nftables
    case system
  }

  package let code: Code
  package let message: String

  package init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  package var description: String { message }
}

/// A context of libnftables: speaks to the packet filter of one network namespace.
package final class NFTables {
  private let context: OpaquePointer

  /// Of the calling thread's namespace.
  package convenience init() throws(NetfilterError) {
    let network = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)
    guard network >= 0 else { throw Self.failure("opening the network", errno) }
    defer { close(network) }
    try self.init(network: network)
  }

  /// Of another namespace, by a descriptor of it, which is needed only here.
  package init(network: Int32) throws(NetfilterError) {
    context = try FilterThread.shared.run { () throws(NetfilterError) in try Self.make(network) }.context
  }

  deinit {
    let made = Made(context: context)
    // It cannot fail.
    try? FilterThread.shared.run { () throws(NetfilterError) in nft_ctx_free(made.context) }
  }

  /// All of the commands or none; returns what they list. Blocks for some milliseconds, and while others are busy with theirs.
  @discardableResult
  package func run(_ commands: String) throws(NetfilterError) -> String {
    let made = Made(context: context)
    return try FilterThread.shared.run { () throws(NetfilterError) in try Self.run(commands, made.context) }
  }

  // Unchecked: goes from thread to thread, and is used on the library's alone.
  private struct Made: @unchecked Sendable { let context: OpaquePointer }

  /// On the library's thread, whose table of descriptors has the caller's only by the process's folder.
  private static func make(_ network: Int32) throws(NetfilterError) -> Made {
    let copy = open("/proc/self/fd/\(network)", O_RDONLY | O_CLOEXEC)
    guard copy >= 0 else { throw failure("opening a network", errno) }
    defer { close(copy) }
    guard copy < FilterThread.highestDescriptor else { throw failure("opening a network", EMFILE) }
    let own = cl_enter_network(copy)
    guard own >= 0 else { throw failure("entering a network", -own) }
    defer { cl_leave_network(own) }
    guard own < FilterThread.highestDescriptor, let context = nft_ctx_new(UInt32(NFT_CTX_DEFAULT)) else {
      throw NetfilterError(.nftables, "no nftables context")
    }
    nft_ctx_buffer_output(context)
    nft_ctx_buffer_error(context)
    return Made(context: context)
  }

  private static func failure(_ operation: String, _ number: Int32) -> NetfilterError {
    NetfilterError(.system, "\(operation): \(String(cString: strerror(number)))")
  }

  private static func run(_ commands: String, _ context: OpaquePointer) throws(NetfilterError) -> String {
    let status = nft_run_cmd_from_buffer(context, commands)
    let output = nft_ctx_get_output_buffer(context).map { String(cString: $0) } ?? ""
    let complaint = nft_ctx_get_error_buffer(context).map { String(cString: $0) } ?? ""
    guard status == 0 else { throw NetfilterError(.nftables, "nftables: \(complaint.split(separator: "\n").first ?? "failed")") }
    return output
  }
}
