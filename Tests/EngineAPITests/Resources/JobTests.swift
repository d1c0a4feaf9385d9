// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterStore
import Testing

@testable import EngineAPI

@Suite("Jobs over the API")
struct JobTests {
  static func body(_ mode: String = #"{"ReplicatedJob":{"MaxConcurrent":2,"TotalCompletions":4}}"#, rest: String = "") -> String {
    #"{"Name":"job","TaskTemplate":{"ContainerSpec":{"Image":"a"}},"Mode":\#(mode)\#(rest)}"#
  }

  static func task(
    _ id: String, of service: Service, slot: Int, node: String = "n1", _ state: TaskState, run: UInt64 = 0
  ) -> ClusterTask {
    let model = Fixture.task(id, of: service, slot: slot, node: node, state: state)
    return ClusterTask(
      id: id, template: model.template, slot: slot, nodeID: node, desiredState: state == .failed ? .shutdown : .complete,
      status: model.status, jobIteration: run, createdAt: SwarmRig.time)
  }

  @Test("a job shows its counters as they are, its run and when that began; every update begins another")
  func status() async throws {
    let rig = try await SwarmRig()
    let id = try await rig.create(Self.body(#"{"ReplicatedJob":{"MaxConcurrent":2}}"#))
    let first = try JSONValue(parsing: try await rig.call("GET", "/services/job").text)
    #expect(first["Spec"]?["Mode"]?.text == #"{"ReplicatedJob":{"MaxConcurrent":2,"TotalCompletions":2}}"#)
    #expect(first["JobStatus"]?.text == #"{"JobIteration":{},"LastExecution":"2024-05-01T10:00:00Z"}"#)
    for run in 1...2 {
      let version = await rig.version(ofService: id)
      #expect(try await rig.call("POST", "/services/job/update?version=\(version)", Self.body()).status == 200)
      let next = try JSONValue(parsing: try await rig.call("GET", "/services/job").text)
      #expect(next["JobStatus"]?["JobIteration"]?.text == #"{"Index":\#(run)}"#)
      #expect(next["UpdateStatus"] == nil)
    }
    let version = await rig.version(ofService: id)
    #expect(try await rig.call("POST", "/services/job/update?rollback=previous&version=\(version)", Self.body()).status == 200)
    let service = try #require(await rig.store.read { $0.services[id] })
    #expect(service.jobStatus?.iteration == 3 && service.updateStatus?.state == .rollbackStarted)
  }

  @Test("what is no job has no run")
  func noJob() async throws {
    let rig = try await SwarmRig()
    let id = try await rig.create(#"{"Name":"web","TaskTemplate":{"ContainerSpec":{"Image":"a"}}}"#)
    _ = try await rig.call(
      "POST", "/services/web/update?version=\(await rig.version(ofService: id))",
      #"{"Name":"web","TaskTemplate":{"ContainerSpec":{"Image":"a"}}}"#)
    #expect(try await !rig.call("GET", "/services/web").text.contains("JobStatus"))
  }

  @Test("a list counts the tasks of the present run, and no slot twice")
  func counts() async throws {
    let rig = try await SwarmRig()
    let id = try await rig.create(Self.body())
    try await rig.store.transaction { transaction in
      var service = try #require(transaction.service(id))
      service.beginRun(at: SwarmRig.time)
      transaction.put(service)
      transaction.put(Self.task("t0", of: service, slot: 1, .complete, run: 0))
      for (name, slot) in [("t1", 1), ("t2", 1), ("t3", 2)] {
        transaction.put(Self.task(name, of: service, slot: slot, .complete, run: 1))
      }
      transaction.put(Self.task("t4", of: service, slot: 3, .failed, run: 1))
      transaction.put(Self.task("t5", of: service, slot: 3, .running, run: 1))
    }
    #expect(
      try await rig.call("GET", "/services?status=true").text.contains(
        #""ServiceStatus":{"RunningTasks":1,"DesiredTasks":2,"CompletedTasks":2}"#))
  }

  @Test("a list counts what of a global job is done, and as desired what is not")
  func globalCounts() async throws {
    let rig = try await SwarmRig()
    let id = try await rig.create(Self.body(#"{"GlobalJob":{}}"#))
    try await rig.store.transaction { transaction in
      let service = try #require(transaction.service(id))
      transaction.put(Self.task("t1", of: service, slot: 0, node: "n1", .complete))
      transaction.put(Self.task("t2", of: service, slot: 0, node: "n2", .running))
      transaction.put(Self.task("t3", of: service, slot: 0, node: "n3", .preparing))
    }
    #expect(
      try await rig.call("GET", "/services?status=true&filters=%7B%22mode%22:%5B%22global-job%22%5D%7D").text.contains(
        #""ServiceStatus":{"RunningTasks":1,"DesiredTasks":2,"CompletedTasks":1}"#))
  }

  @Test(
    "tasks tell their run, and count their slots from 0, which is shown as none", arguments: [(1, 0), (2, 7)] as [(Int, UInt64)])
  func tasks(slot: Int, run: UInt64) async throws {
    let rig = try await SwarmRig()
    let id = try await rig.create(Self.body())
    try await rig.store.transaction { transaction in
      let service = try #require(transaction.service(id))
      transaction.put(Self.task("t1", of: service, slot: slot, .running, run: run))
    }
    let task = try JSONValue(parsing: try await rig.call("GET", "/tasks/\(slot == 1 ? "job.n1.t1" : "job.1.t1")").text)
    #expect(task["Slot"]?.text == (slot == 1 ? nil : "1"))
    #expect(task["JobIteration"]?.text == (run == 0 ? "{}" : #"{"Index":7}"#))
    #expect(task["DesiredState"]?.text == #""complete""#)
  }

  @Test(
    "what a job cannot be is refused in swarm's words",
    arguments: [
      (#"{"ReplicatedJob":{},"Global":{}}"#, "", 400, "must specify only one service mode"),
      (
        #"{"ReplicatedJob":{}}"#, #","UpdateConfig":{}"#, 400,
        "rpc error: code = InvalidArgument desc = Jobs may not have an update config"
      ),
      (#"{"GlobalJob":{}}"#, "", 501, "rpc error: code = Unimplemented desc = service mode change is not allowed"),
      (#"{"Replicated":{}}"#, "", 501, "rpc error: code = Unimplemented desc = service mode change is not allowed"),
    ])
  func refusals(mode: String, rest: String, status: Int, message: String) async throws {
    let rig = try await SwarmRig()
    let id = try await rig.create(Self.body(rest: #","RollbackConfig":{}"#))
    let version = await rig.version(ofService: id)
    #expect(
      try await rig.call("POST", "/services/job/update?version=\(version)", Self.body(mode, rest: rest)) == (status, message))
  }

  @Test("a client from before 1.41 knows no jobs: what it makes is one replica")
  func oldClient() async throws {
    let rig = try await SwarmRig()
    #expect(try await rig.call("POST", "/v1.40/services/create", Self.body()).status == 201)
    let service = try #require(await rig.store.read { $0.service(named: "job") })
    #expect(service.spec.mode == .replicated(1) && service.jobStatus == nil)
  }
}
