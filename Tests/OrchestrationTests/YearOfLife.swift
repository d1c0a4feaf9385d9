// SPDX-License-Identifier: Apache-2.0

import Balancing
import ClusterModel
import ClusterStore
import SimulationKit

/// Random users and random accidents, from a seed.
struct YearOfLife {
  var cluster: SimulatedCluster
  private(set) var events = 0
  private var dice: SplitMix64
  private let names = ["a", "b", "c", "d", "g", "j", "k"]

  init(seed: UInt64) {
    cluster = SimulatedCluster(seed: seed, nodes: 3)
    cluster.behaviour.startFailure = 0.02
    cluster.behaviour.prepareFailure = 0.01
    cluster.behaviour.jobFailure = 0.2
    dice = SplitMix64(seed: seed &+ 1)
  }

  mutating func live(days: Int) {
    let end = cluster.uptime + .seconds(86_400 * days)
    while cluster.uptime < end {
      happen()
      events += 1
      // Mostly hours apart, sometimes all at once.
      let isBurst = Int.random(in: 0..<4, using: &dice) == 0
      cluster.run(for: .milliseconds(Int.random(in: isBurst ? 10...5_000 : 1_000_000...8_000_000, using: &dice)))
    }
    for id in cluster.nodes.keys.sorted() where cluster.nodes[id]?.isUp == false { cluster.bringBack(id) }
    setAvailability("active", ofAll: true)
    setZone("x", ofAll: true)
    cluster.behaviour.startFailure = 0
    cluster.behaviour.prepareFailure = 0
    cluster.behaviour.jobFailure = 0
    cluster.run(for: .seconds(900))
  }

  /// Services that do not run what their specs ask for, and jobs that have not.
  func unmetServices() -> [String] {
    cluster.store.services.values.filter { service in
      if service.isJob { return isUnmet(job: service) }
      let wanted = service.isGlobal ? cluster.nodes.count : service.replicas
      let isPaused = service.updateStatus?.state == .paused
      let found = cluster.store.tasks(ofService: service.id).filter { $0.state == .running && $0.isLive }
      return isPaused ? found.count < wanted : found.count != wanted
    }.map { "\($0.name): \($0.updateStatus.map { "\($0.state)" } ?? "no update")" }.sorted()
  }

  private func isUnmet(job: Service) -> Bool {
    let wanted = job.spec.mode.replicatedJob?.totalCompletions.map { Int($0) } ?? cluster.nodes.count
    let counts = cluster.store.jobCounts(ofService: job.id, iteration: job.jobIteration ?? 0)
    return counts.completed != wanted || cluster.store.tasks(ofService: job.id).contains(where: \.isLive)
  }

  private mutating func happen() {
    let name = names[Int.random(in: 0..<names.count, using: &dice)]
    let id = cluster.store.service(named: name)?.id ?? "id-\(name)-\(events)"
    switch Int.random(in: 0..<13, using: &dice) {
    case 0: cluster.write { $0.removeService(id) }
    case 1...3: createOrScale(name, id)
    case 4...5: update(id)
    case 6...8: crashOne(id)
    case 9: loseOrBringBack()
    case 10: setAvailability(["active", "drain", "pause"][Int.random(in: 0..<3, using: &dice)], ofAll: false)
    case 11: setZone(["x", "y"][Int.random(in: 0..<2, using: &dice)], ofAll: false)
    default: cluster.restartLeader()
    }
  }

  private mutating func createOrScale(_ name: String, _ id: String) {
    let replicas = UInt64.random(in: 0...5, using: &dice)
    let order = Bool.random(using: &dice) ? "start-first" : "stop-first"
    let parallelism = UInt64.random(in: 0...3, using: &dice)
    cluster.write { transaction in
      if var service = transaction.service(id) {
        if !service.isGlobal { service.spec.mode = service.isJob ? .job(replicas, atOnce: 2) : .replicated(replicas) }
        service.beginRun(at: .zero)
        service.spec.taskTemplate.registryAuth = Sealed(bytes: [UInt8(replicas)])
        transaction.put(service)
      } else {
        var service = ClusterLifeTests.service(
          name, replicas: replicas, order: order, parallelism: parallelism,
          port: name == "b" ? nil : UInt32(8_000 + name.utf8.count))
        if name == "a" { service.spec.endpointSpec?.ports?[0].publishedPort = nil }
        if name == "c" { service.spec.taskTemplate.placement = Placement(constraints: ["node.labels.zone != y"]) }
        if name == "d" {
          service.spec.endpointSpec = nil
          service.spec.taskTemplate.resources = Resources(
            reservations: .init(genericResources: [.discrete("gpu", 1), .discrete("fpga", 1)]))
        }
        if name == "g" {
          service.spec.mode = .global
          service.spec.updateConfig?.order = "stop-first"
        }
        if name == "j" || name == "k" {
          service.spec.mode = name == "j" ? .job(replicas, atOnce: 2) : .globalJob
          service.spec.updateConfig = nil
          if name == "k" { service.spec.endpointSpec = nil }
          service.beginRun(at: .zero)
        }
        transaction.put(service)
      }
    }
  }

  private mutating func update(_ id: String) {
    cluster.write { transaction in
      guard var service = transaction.service(id) else { return }
      service.previousSpec = service.spec
      service.spec.taskTemplate.forceUpdate += 1
      service.updateStatus = nil
      service.beginRun(at: .zero)
      transaction.put(service)
    }
  }

  private mutating func crashOne(_ id: String) {
    let running = cluster.store.tasks(ofService: id).filter { $0.state == .running }
    guard let victim = running.randomElement(using: &dice) else { return }
    cluster.crash(victim.id, exitCode: Bool.random(using: &dice) ? 137 : 0)
  }

  private mutating func loseOrBringBack() {
    let id = "n\(Int.random(in: 1...3, using: &dice))"
    if cluster.nodes[id]?.isUp == true { cluster.lose(id) } else { cluster.bringBack(id) }
  }

  private mutating func setZone(_ zone: String, ofAll: Bool) {
    let chosen = "n\(Int.random(in: 1...3, using: &dice))"
    cluster.write { transaction in
      for var node in transaction.nodes where ofAll || node.id == chosen {
        node.spec.labels["zone"] = zone
        transaction.put(node)
      }
    }
  }

  private mutating func setAvailability(_ availability: String, ofAll: Bool) {
    let chosen = "n\(Int.random(in: 1...3, using: &dice))"
    cluster.write { transaction in
      for var node in transaction.nodes where ofAll || node.id == chosen {
        node.spec.availability = availability
        transaction.put(node)
      }
    }
  }
}
