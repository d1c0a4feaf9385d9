// SPDX-License-Identifier: Apache-2.0

/// A service as the API tells it, as far as tests ask.
struct APIService: Decodable, Sendable {
  struct Version: Decodable, Sendable {
    var index: UInt64
    enum CodingKeys: String, CodingKey { case index = "Index" }
  }
  struct Spec: Decodable, Sendable {
    var name: String
    var labels: [String: String]
    var mode: Mode
    var task: TaskTemplate
    var endpoint: Endpoint
    enum CodingKeys: String, CodingKey {
      case name = "Name", labels = "Labels", mode = "Mode", task = "TaskTemplate", endpoint = "EndpointSpec"
    }
  }
  struct Mode: Decodable, Sendable {
    struct Replicated: Decodable, Sendable {
      var replicas: Int
      enum CodingKeys: String, CodingKey { case replicas = "Replicas" }
    }
    var replicated: Replicated
    enum CodingKeys: String, CodingKey { case replicated = "Replicated" }
  }
  struct TaskTemplate: Decodable, Sendable {
    struct Container: Decodable, Sendable {
      var env: [String]?
      enum CodingKeys: String, CodingKey { case env = "Env" }
    }
    var container: Container
    enum CodingKeys: String, CodingKey { case container = "ContainerSpec" }
  }
  struct Endpoint: Decodable, Sendable {
    struct Port: Decodable, Sendable {
      var published: Int?
      enum CodingKeys: String, CodingKey { case published = "PublishedPort" }
    }
    var ports: [Port]?
    enum CodingKeys: String, CodingKey { case ports = "Ports" }
  }
  var id: String
  var version: Version
  var spec: Spec
  enum CodingKeys: String, CodingKey { case id = "ID", version = "Version", spec = "Spec" }
}
