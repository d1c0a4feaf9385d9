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

/// A context of libnftables: speaks to the packet filter of the network namespace it was made in.
package final class NFTables {
  private let context: OpaquePointer

  /// Of another namespace, by a descriptor of it, which is needed only here. The calling thread is there for a moment.
  package convenience init(network: Int32) throws(NetfilterError) {
    let own = cl_enter_network(network)
    guard own >= 0 else { throw NetfilterError(.system, "entering a network: \(String(cString: strerror(-own)))") }
    defer { cl_leave_network(own) }
    try self.init()
  }

  /// Of the calling thread's namespace.
  package init() throws(NetfilterError) {
    guard let context = nft_ctx_new(UInt32(NFT_CTX_DEFAULT)) else { throw NetfilterError(.nftables, "no nftables context") }
    self.context = context
    nft_ctx_buffer_output(context)
    nft_ctx_buffer_error(context)
  }

  deinit { nft_ctx_free(context) }

  /// All of the commands or none; returns what they list. Blocks for some milliseconds.
  @discardableResult
  package func run(_ commands: String) throws(NetfilterError) -> String {
    let status = nft_run_cmd_from_buffer(context, commands)
    let output = nft_ctx_get_output_buffer(context).map { String(cString: $0) } ?? ""
    let complaint = nft_ctx_get_error_buffer(context).map { String(cString: $0) } ?? ""
    guard status == 0 else { throw NetfilterError(.nftables, "nftables: \(complaint.split(separator: "\n").first ?? "failed")") }
    return output
  }
}
