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
  /// How long an answer of ours may take, the client's reading included; nil for as long as the client likes.
  package var answerTimeout: TimeAmount?
  /// What answers in progress get when shutting down.
  package var drainTime = Duration.seconds(5)
  /// How often a listener looks whether its socket file is still there.
  package var fileCheck = Duration.seconds(1)
  /// Whether answers carry what Docker clients look for in the headers of an engine's.
  package var announces = true
  /// The product and version of the `Server` header.
  package var server = "Skep"

  package init() {}

  /// For the page of metrics: scrapers are few, and quick. A slow one, or many, take little and hold up nobody.
  package static var metrics: FrontSettings {
    var settings = FrontSettings()
    settings.maximumConnections = 32
    settings.maximumHead = 16 * 1_024
    settings.maximumBody = 4 * 1_024
    settings.announces = false
    settings.bodyTimeout = .seconds(10)
    settings.headTimeout = .seconds(10)
    settings.idleTimeout = .minutes(2)
    settings.answerTimeout = .seconds(10)
    settings.drainTime = .seconds(1)
    return settings
  }
}
