// SPDX-License-Identifier: Apache-2.0

/// Looks again and again until `look` finds something, at most for `limit`; nil if it never does. What `look` throws ends it.
package func eventually<T>(
  _ limit: Duration = .seconds(30), every interval: Duration = .milliseconds(20), _ look: () async throws -> T?
) async throws -> T? {
  let deadline = ContinuousClock.now + limit
  while true {
    if let found = try await look() { return found }
    guard ContinuousClock.now < deadline else { return nil }
    try await Task.sleep(for: interval)
  }
}

/// As above, for a condition.
package func eventually(
  _ limit: Duration = .seconds(30), every interval: Duration = .milliseconds(20), _ holds: () async throws -> Bool
) async throws -> Bool {
  try await eventually(limit, every: interval) { try await holds() ? true : nil } ?? false
}
