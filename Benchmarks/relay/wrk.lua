-- SPDX-License-Identifier: Apache-2.0
-- Prints what a run of wrk saw, in numbers alone: microseconds, bytes, and how many requests failed in any way.
function done(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  print(string.format("RESULT %d %d %d %d %d %d %d", summary.requests, summary.duration, summary.bytes, failed,
    latency:percentile(50), latency:percentile(99), latency:percentile(99.9)))
end
