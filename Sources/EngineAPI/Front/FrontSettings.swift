// SPDX-License-Identifier: Apache-2.0

package import NIOCore

/// What bounds the front. The defaults are for a local socket.
package struct FrontSettings: Sendable {
  /// Connections beyond this are told so and closed. Each may use two descriptors.
  package var maximumConnections = 10_000
  package var maximumHead = 64 * 1_024
  /// The largest body of a request that we answer or rewrite. Piped bodies have no limit: they are never held.
  package var maximumBody = 4 * 1_024 * 1_024
  /// What all such bodies may take together; more are refused with 503.
  package var maximumBodies = 64 * 1_024 * 1_024
  /// How long a body that we wait for may bring nothing.
  package var bodyTimeout = TimeAmount.seconds(60)
  /// From accepting a connection, or from the first byte of a later request, to the end of the head.
  package var headTimeout = TimeAmount.seconds(60)
  /// How long a connection may stay open between two requests.
  package var idleTimeout = TimeAmount.minutes(15)
  /// What answers in progress get when shutting down.
  package var drainTime = Duration.seconds(5)
  /// How often a listener looks whether its socket file is still there.
  package var fileCheck = Duration.seconds(1)
  /// The product and version of the `Server` header.
  package var server = "Skep"

  package init() {}
}
