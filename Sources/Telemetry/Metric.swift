// SPDX-License-Identifier: Apache-2.0

/// Everything that is measured, by the name that scrapers know. Names stay: dashboards and alerts are built on them.
package enum Metric: String, CaseIterable, Sendable {
  case buildInfo = "skep_build_info"
  case processCPU = "process_cpu_seconds_total"
  case processMemory = "process_resident_memory_bytes"
  case processAddressSpace = "process_virtual_memory_bytes"
  case processDescriptors = "process_open_fds"
  case processDescriptorLimit = "process_max_fds"
  case processStart = "process_start_time_seconds"

  case relayUp = "skep_lb_relay_up"
  case relayInfo = "skep_lb_relay_info"
  case relayUptime = "skep_lb_relay_uptime_seconds"
  case relayThreads = "skep_lb_relay_threads"
  case tableGeneration = "skep_lb_table_generation"
  case connections = "skep_lb_open_connections"
  case connectionLimit = "skep_lb_open_connections_limit"
  case sessions = "skep_lb_open_sessions"
  case sessionLimit = "skep_lb_open_sessions_limit"
  case inherited = "skep_lb_inherited_connections"

  case listenerUp = "skep_lb_listener_up"
  case listenerInfo = "skep_lb_listener_info"
  case listenerOpen = "skep_lb_listener_open_connections"
  case listenerTotal = "skep_lb_listener_connections_total"
  case listenerRefused = "skep_lb_listener_refused_total"
  case listenerRetries = "skep_lb_listener_retries_total"
  case listenerBytesIn = "skep_lb_listener_bytes_in_total"
  case listenerBytesOut = "skep_lb_listener_bytes_out_total"
  case listenerLatency = "skep_lb_listener_connect_duration_seconds"

  case endpointState = "skep_lb_endpoint_state"
  case endpointOpen = "skep_lb_endpoint_open_connections"
  case endpointTotal = "skep_lb_endpoint_connections_total"
  case endpointFailures = "skep_lb_endpoint_failures_total"
  case endpointBytesIn = "skep_lb_endpoint_bytes_in_total"
  case endpointBytesOut = "skep_lb_endpoint_bytes_out_total"
  case endpointLatency = "skep_lb_endpoint_connect_duration_seconds"

  package enum Kind: String, Sendable {
    case counter, gauge, histogram
  }

  package var kind: Kind {
    switch self {
    case _ where rawValue.hasSuffix("_total"): .counter
    case .listenerLatency, .endpointLatency: .histogram
    default: .gauge
    }
  }

  package var help: String {
    switch self {
    case .buildInfo: "Release of skepd."
    case .processCPU: "User and system time of skepd."
    case .processMemory: "Resident memory of skepd."
    case .processAddressSpace: "Virtual memory of skepd."
    case .processDescriptors: "Descriptors that skepd has open."
    case .processDescriptorLimit: "Descriptors that skepd may have open."
    case .processStart: "When skepd started, in seconds since 1970."
    case .relayUp: "Whether the relay answers. If not, nothing else is told of it."
    case .relayInfo: "Release of the running relay."
    case .relayUptime: "Time since the relay started, and with it all counts of the load balancer."
    case .relayThreads: "Threads that move bytes."
    case .tableGeneration: "Number of the endpoint table in force; it rises with every change."
    case .connections: "Connections that clients have open to published TCP ports."
    case .connectionLimit: "Connections beyond which clients wait to be accepted."
    case .sessions: "Clients of published UDP ports."
    case .sessionLimit: "Clients of published UDP ports beyond which the oldest makes room."
    case .inherited: "Connections that relays which were replaced still have. All else is the present relay's."
    case .listenerUp: "Whether the published port is open."
    case .listenerInfo: "The published port's service and strategy."
    case .listenerOpen: "Connections, or UDP sessions, that are open."
    case .listenerTotal: "Connections accepted, or UDP sessions begun, those refused included."
    case .listenerRefused: "Clients turned away."
    case .listenerRetries: "Endpoints tried after another had failed the same client."
    case .listenerBytesIn: "Bytes from clients."
    case .listenerBytesOut: "Bytes to clients."
    case .listenerLatency: "From the call for a connection until an endpoint had accepted it."
    case .endpointState:
      "1 for the state the endpoint is in: ready, draining (keeps what is open), gone (left, with connections open)."
    case .endpointOpen: "Connections, or UDP sessions, that are open."
    case .endpointTotal: "Connections taken, or UDP sessions begun."
    case .endpointFailures: "Connections not taken."
    case .endpointBytesIn: "Bytes from clients to the endpoint."
    case .endpointBytesOut: "Bytes from the endpoint to clients."
    case .endpointLatency: "From the call for a connection until the endpoint had accepted it."
    }
  }

  /// Upper ends of the buckets of latencies, in nanoseconds: 10 µs to 1 s, six to a decade.
  package static let latencyBounds: [UInt64] =
    [10_000, 100_000, 1_000_000, 10_000_000, 100_000_000].flatMap { decade in
      [10, 15, 20, 30, 50, 70].map { decade / 10 * $0 }
    } + [1_000_000_000]
}
