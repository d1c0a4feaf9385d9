// SPDX-License-Identifier: Apache-2.0

package enum Release {
  /// Of all programs: they are released together.
  package static let version = "0.1.0"
}
