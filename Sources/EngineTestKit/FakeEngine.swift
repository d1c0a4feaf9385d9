// SPDX-License-Identifier: Apache-2.0

package import ClusterModel
package import EngineClient

/// An engine in memory that refuses what a real one refuses. Containers run until a test ends them.
package actor FakeEngine {
  package internal(set) var containers: [String: FakeContainer] = [:]
  package internal(set) var networks: [String: JSONValue] = [:]
  /// Images that are there, as `name:tag` or `name@digest`.
  package var images: Set<String>
  /// Images that a pull finds.
  package var registry: Set<String> = []
  /// What a pull must bring as `X-Registry-Auth`, by image.
  package var credentials: [String: String] = [:]
  /// Changing calls in order, such as `create web.1.x`.
  package internal(set) var calls: [String] = []
  /// Nobody answers on the socket.
  package internal(set) var isAway = false
  /// The next answer, and all later ones, never reach the caller.
  package internal(set) var isSilent = false
  package var missingPaths: Set<String> = []
  /// Reasons for starts to fail, by image.
  package var startErrors: [String: String] = [:]
  /// Exit codes of containers that end as soon as they are started, by image.
  package var instantExits: [String: Int] = [:]
  /// What a container exits with when it is stopped.
  package var stopExitCode = 143
  /// The connection breaks after this call was carried out, once, before its answer.
  package var breaksAfter: String?
  package var pullsHang = false
  /// As `/info` lists them.
  package var genericResources: JSONValue = nil
  package var stopsHang = false
  package internal(set) var mostStartsAtOnce = 0
  var startsNow = 0
  var silentAfter: Int?
  var nextNumber = 1
  var subscribers: [Int: AsyncThrowingStream<EngineEvent, any Error>.Continuation] = [:]
  var deafSubscribers: [AsyncThrowingStream<EngineEvent, any Error>.Continuation] = []
  var eventLines: [(time: Int64, line: [UInt8])] = []
  var lineReaders: [Int: AsyncThrowingStream<[UInt8], any Error>.Continuation] = [:]
  /// Queries of `GET /events` as they came.
  package internal(set) var eventQueries: [String] = []
  package var logFrames: [String: [LogFrame]] = [:]

  package internal(set) var volumes: [String: JSONValue] = [:]
  /// Containers on a network beside the one they were made for.
  var connections: [String: Set<String>] = [:]
  /// As it announces it: fields of later versions are refused.
  package let apiVersion: String
  package let isExperimental: Bool
  static let cpus = 2

  package init(images: Set<String> = ["web:1"], apiVersion: String = "1.41", isExperimental: Bool = false) {
    self.images = images
    self.apiVersion = apiVersion
    self.isExperimental = isExperimental
  }

  /// Changes several settings at once.
  package func configure(_ change: @Sendable (isolated FakeEngine) -> Void) { change(self) }

  package func container(named name: String) -> FakeContainer? { containers.values.first { $0.name == name } }

  package func count(of call: String) -> Int { calls.count { $0 == call } }

  /// Ends a container as `kill -9` of its process does.
  package func exit(_ name: String, code: Int = 137, error: String = "") {
    guard var container = container(named: name), container.isRunning else { return }
    end(&container, code)
    container.error = error
    containers[container.id] = container
  }

  package func setHealth(_ name: String, _ health: String) {
    guard var container = container(named: name), container.isRunning else { return }
    container.health = health
    containers[container.id] = container
    emit("health_status: \(health)", container)
  }

  /// Ends event streams and refuses every call. With `killing` containers die unseen, as without live-restore.
  package func goAway(killing code: Int? = nil) {
    isAway = true
    for subscriber in subscribers.values { subscriber.finish(throwing: Self.unreachable) }
    for reader in lineReaders.values { reader.finish(throwing: EngineError(.connectionLost, "the engine is gone")) }
    (subscribers, lineReaders) = ([:], [:])
    guard let code else { return }
    for var container in containers.values where container.isRunning {
      end(&container, code)
      containers[container.id] = container
    }
  }

  package func comeBack() { isAway = false }

  /// The answer to the changing call of this number, counted from now, and all later answers are lost: the caller crashed.
  package func loseAnswers(after count: Int) { silentAfter = calls.count + count }

  /// No call is answered from now on.
  package func fallSilent() { isSilent = true }

  /// For the caller's next life.
  package func answerAgain() {
    isSilent = false
    silentAfter = nil
    for subscriber in subscribers.values { subscriber.finish() }
    subscribers = [:]
  }

  /// A container that somebody else made.
  package func addStranger(name: String, labels: [String: String], isRunning: Bool = true) {
    var container = FakeContainer(id: newID(), name: name, config: ["Image": "web:1", "Labels": JSONValue(labels)])
    if isRunning { container.status = "running" }
    containers[container.id] = container
  }
}

extension FakeEngine {
  /// Event streams stay open and say nothing more.
  package func loseEvents() {
    deafSubscribers += subscribers.values
    subscribers = [:]
  }
}
