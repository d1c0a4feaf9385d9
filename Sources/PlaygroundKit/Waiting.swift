// SPDX-License-Identifier: Apache-2.0

/// Looks until `look` finds something, at most for `limit`.
func wait<T>(_ limit: Duration, every interval: Duration = .milliseconds(20), for look: () async throws -> T?) async throws -> T?
{
  let deadline = ContinuousClock.now + limit
  while true {
    if let found = try await look() { return found }
    guard ContinuousClock.now < deadline else { return nil }
    try await Task.sleep(for: interval)
  }
}
