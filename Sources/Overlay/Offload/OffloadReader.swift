// SPDX-License-Identifier: Apache-2.0

/// Tells what this host's packet filter has carried, whoever installed its rules.
package actor OffloadReader {
  private var kernel: OffloadKernel?

  package init() {}

  /// Nothing where nothing is carried, or the packet filter cannot be asked.
  package func counts() -> OffloadCounts {
    do {
      let kernel = try kernel ?? OffloadKernel()
      self.kernel = kernel
      return try kernel.counts()
    } catch {
      return OffloadCounts()
    }
  }
}
