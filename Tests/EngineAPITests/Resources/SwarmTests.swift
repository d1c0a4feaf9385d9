// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterRPC
import Identity
import Testing

@testable import EngineAPI

@Suite("The swarm over the API")
struct SwarmTests {
  static let noSwarm =
    #"This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again."#

  /// As the docker CLI 28 sends `swarm init`.
  static let cliInit = #"""
    {"ListenAddr":"0.0.0.0:2377","AdvertiseAddr":"","DataPathAddr":"","DataPathPort":0,"ForceNewCluster":false,
    "Spec":{"Labels":null,"Orchestration":{},"Raft":{"ElectionTick":0,"HeartbeatTick":0},"Dispatcher":{},"CAConfig":{},
    "TaskDefaults":{},"EncryptionConfig":{"AutoLockManagers":false}},"AutoLockManagers":false,"Availability":"active",
    "DefaultAddrPool":null,"SubnetSize":0}
    """#

  @Test(
    "outside a swarm every endpoint of one says so",
    arguments: [
      ("GET", "/swarm"), ("POST", "/swarm/update?version=1"), ("GET", "/swarm/unlockkey"), ("GET", "/services"),
      ("POST", "/services/create"), ("GET", "/services/x"), ("DELETE", "/services/x"), ("POST", "/services/x/update?version=1"),
      ("GET", "/services/x/logs?stdout=1"), ("GET", "/tasks"), ("GET", "/tasks/x"), ("GET", "/tasks/x/logs?stdout=1"),
      ("GET", "/nodes"), ("GET", "/nodes/x"), ("DELETE", "/nodes/x"), ("POST", "/nodes/x/update?version=1"), ("GET", "/secrets"),
      ("POST", "/secrets/create"), ("GET", "/configs"), ("POST", "/configs/create"), ("GET", "/configs/x"),
    ])
  func inactive(method: String, path: String) async throws {
    let rig = try await SwarmRig(active: false)
    #expect(try await rig.call(method, path, "{}") == (503, Self.noSwarm))
    rig.control.inner.withLock { $0.swarm = .pending }
    let pending = "This node is not a swarm manager. Manager is being prepared or has trouble connecting to the cluster."
    #expect(try await rig.call(method, path, "{}") == (503, pending))
  }

  @Test(
    "outside a swarm what cannot be read is told first",
    arguments: [
      ("POST", "/services/create", "{", "invalid JSON: unexpected EOF"),
      ("POST", "/services/x/update?version=1", "{", "invalid JSON: unexpected EOF"),
      ("POST", "/services/x/update", "{}", #"invalid service version '': strconv.ParseUint: parsing "": invalid syntax"#),
      (
        "POST", "/nodes/x/update?version=1", "[]",
        "invalid JSON: json: cannot unmarshal array into Go value of type swarm.NodeSpec"
      ),
      ("POST", "/nodes/x/update", "{}", #"invalid node version '': strconv.ParseUint: parsing "": invalid syntax"#),
      ("POST", "/swarm/update", "{}", #"invalid swarm version '': strconv.ParseUint: parsing "": invalid syntax"#),
      ("POST", "/swarm/update?version=1&rotateManagerToken=x", "{}", "invalid value for rotateManagerToken: x"),
      ("POST", "/secrets/create", "{", "invalid JSON: unexpected EOF"), ("GET", "/services?filters=%7B", "", "invalid filter"),
      ("GET", "/services?status=x", "", ServiceTests.malformed("status")),
      ("GET", "/services/x?insertDefaults=x", "", ServiceTests.malformed("insertDefaults")),
      ("GET", "/tasks?filters=%7B", "", "invalid filter"), ("GET", "/nodes?filters=%7B", "", "invalid filter"),
      ("GET", "/configs?filters=%7B", "", "invalid filter"),
      ("GET", "/services/x/logs", "", "must specify at least one of 'stdout' or 'stderr'"),
      ("GET", "/tasks/x/logs", "", "must specify at least one of 'stdout' or 'stderr'"),
    ])
  func unreadable(method: String, path: String, body: String, message: String) async throws {
    #expect(try await SwarmRig(active: false).call(method, path, body) == (400, message))
    #expect(try await SwarmRig(active: false).call("GET", #"/services?filters={"x":["y"]}"#) == (503, Self.noSwarm))
  }

  @Test("the docker CLI's init gets an address, defaults and a node id")
  func initialize() async throws {
    let rig = try await SwarmRig(active: false)
    #expect(try await rig.call("POST", "/swarm/init", Self.cliInit) == (200, #""n1""#))
    let request = try #require(rig.control.inner.withLock(\.initialized).first)
    #expect(request.addresses.advertiseHost == "10.9.0.1" && request.addresses.port == 2_377)
    #expect(request.spec == .defaults && request.availability == "active")
    #expect(request.pools.pools == ["10.0.0.0/8"] && request.pools.subnetSize == 24 && request.pools.dataPathPort == 4_789)
  }

  @Test(
    "an init that cannot be is refused",
    arguments: [
      ("{}", #"invalid ListenAddr "": invalid empty address"#),
      (#"{"ListenAddr":"0.0.0.0","Spec":{"Name":"x"}}"#, #"swarm spec must be named "default""#),
      (#"{"ListenAddr":"0.0.0.0","Availability":"x"}"#, #"invalid Availability: "x""#),
      (#"{"ListenAddr":"0.0.0.0","SubnetSize":30,"DefaultAddrPool":[]}"#, "subnet size is out of range: 30"),
      (#"{"ListenAddr":"0.0.0.0","DataPathPort":1}"#, "Datapath port number is not in valid range (1024-49151) : 1"),
      (
        #"{"ListenAddr":"0.0.0.0","AutoLockManagers":true}"#,
        "rpc error: code = InvalidArgument desc = locked managers (autolock) are not supported by this release of Skep"
      ),
    ])
  func badInit(body: String, message: String) async throws {
    let rig = try await SwarmRig(active: false)
    #expect(try await rig.call("POST", "/swarm/init", body) == (400, message))
    #expect(rig.control.inner.withLock(\.initialized).isEmpty)
  }

  @Test("older clients' pools and ports are ignored")
  func oldInit() async throws {
    let rig = try await SwarmRig(active: false)
    let body = #"{"ListenAddr":"0.0.0.0","SubnetSize":30,"DataPathPort":1}"#
    #expect(try await rig.call("POST", "/v1.38/swarm/init", body).status == 200)
  }

  @Test("a host in a swarm is told that it is")
  func already() async throws {
    let rig = try await SwarmRig()
    let text = #"This node is already part of a swarm. Use "docker swarm leave" to leave this swarm and join another one."#
    #expect(try await rig.call("POST", "/swarm/init", Self.cliInit) == (503, text))
    #expect(try await rig.call("POST", "/swarm/join", "{}") == (503, text))
  }

  @Test(
    "a join says what is wrong with it",
    arguments: [
      ("{}", #"invalid ListenAddr "": invalid empty address"#),
      (#"{"ListenAddr":"0.0.0.0"}"#, "at least 1 RemoteAddr is required to join"),
      (#"{"ListenAddr":"0.0.0.0","RemoteAddrs":["a:1"],"JoinToken":"x"}"#, "invalid join token"),
      (#"{"ListenAddr":"0.0.0.0","RemoteAddrs":["a:1"],"Availability":"x"}"#, #"invalid Availability: "x""#),
      (
        #"{"ListenAddr":"0.0.0.0","AdvertiseAddr":"eth7","RemoteAddrs":["a:1"]}"#,
        "advertise address must be a non-zero IP address or network interface (with optional port number)"
      ),
    ])
  func join(body: String, message: String) async throws {
    #expect(try await SwarmRig(active: false).call("POST", "/swarm/join", body) == (400, message))
  }

  @Test("a join that says all it must is the daemon's, and what came of it is told in swarm's words")
  func joining() async throws {
    let rig = try await SwarmRig(active: false)
    let token = Fixture.cluster.joinTokens.worker
    let body = #"{"ListenAddr":"0.0.0.0:2377","RemoteAddrs":["a:1","b:1"],"JoinToken":"\#(token)","Availability":"Drain"}"#
    #expect(try await rig.call("POST", "/swarm/join", body) == (200, ""))
    let wanted = SwarmJoin(remote: "a:1", token: token, availability: "drain", address: "10.9.0.1")
    #expect(rig.control.inner.withLock { $0.joins } == [wanted])
    rig.control.inner.withLock {
      $0.joinFailure = RPCFailure(.invalidArgument, "A valid join token is necessary to join this cluster")
    }
    #expect(
      try await rig.call("POST", "/swarm/join", body)
        == (400, "rpc error: code = InvalidArgument desc = A valid join token is necessary to join this cluster"))
    rig.control.inner.withLock { $0.joinFailure = JoinTimeout() }
    let late = try await rig.call("POST", "/swarm/join", body)
    #expect(late.status == 503)
    #expect(late.text.hasPrefix("Timeout was reached before node joined. The attempt to join the swarm will continue"))
  }

  @Test(
    "a join says where peers' traffic goes when the user chose it: by the data path's address, or the advertised, or the one listened at",
    arguments: [
      (#""ListenAddr":"0.0.0.0:2377""#, "10.9.0.1", nil), (#""ListenAddr":"10.9.0.5""#, "10.9.0.5", "10.9.0.5"),
      (#""ListenAddr":"0.0.0.0","AdvertiseAddr":"192.0.2.7""#, "192.0.2.7", "192.0.2.7"),
      (#""ListenAddr":"0.0.0.0","DataPathAddr":"eth0""#, "10.9.0.1", "10.9.0.1"),
      (#""ListenAddr":"0.0.0.0","AdvertiseAddr":"192.0.2.7","DataPathAddr":"192.0.2.8""#, "192.0.2.7", "192.0.2.8"),
    ] as [(String, String, String?)])
  func dataPath(addresses: String, advertised: String, dataPath: String?) async throws {
    let rig = try await SwarmRig(active: false)
    let token = Fixture.cluster.joinTokens.worker
    #expect(
      try await rig.call("POST", "/swarm/join", #"{\#(addresses),"RemoteAddrs":["a"],"JoinToken":"\#(token)"}"#).status == 200)
    let wanted = SwarmJoin(remote: "a", token: token, availability: "active", address: advertised, dataPath: dataPath)
    #expect(rig.control.inner.withLock { $0.joins } == [wanted])
  }

  @Test("a worker says that it is none of a manager's business, who its managers are, and leaves without force")
  func worker() async throws {
    let rig = try await SwarmRig(active: false)
    let worker = WorkerState(
      nodeID: "n2", address: "10.9.0.2", managers: [.init(nodeID: "n1", addr: "10.9.0.1:2377")], error: nil)
    rig.control.inner.withLock { $0.swarm = .worker(worker) }
    for path in ["/nodes", "/services", "/tasks", "/swarm", "/secrets"] {
      let answer = try await rig.call("GET", path)
      #expect(answer.status == 503)
      #expect(
        answer.text.hasPrefix("This node is not a swarm manager. Worker nodes can't be used to view or modify cluster state."))
    }
    let info = try await rig.call("GET", "/info")
    #expect(
      info.text.contains(
        #""Swarm":{"NodeID":"n2","NodeAddr":"10.9.0.2","LocalNodeState":"active","ControlAvailable":false,"Error":"","#
          + #""RemoteManagers":[{"NodeID":"n1","Addr":"10.9.0.1:2377"}]}"#), "\(info.text)")
    #expect(try await rig.call("POST", "/swarm/init", Self.cliInit).status == 503)
    #expect(try await rig.call("POST", "/swarm/leave") == (200, ""))
    #expect(rig.control.inner.withLock { $0.leaves } == [false])
    rig.control.inner.withLock { $0.swarm = .worker(WorkerState(nodeID: "n2", address: "", managers: [], error: "removed")) }
    #expect(try await rig.call("GET", "/nodes") == (503, "removed"))
    #expect(
      try await rig.call("GET", "/info").text.contains(#""LocalNodeState":"error","ControlAvailable":false,"Error":"removed""#))
  }

  @Test("the last manager leaves by force only")
  func leave() async throws {
    let rig = try await SwarmRig(active: false)
    #expect(try await rig.call("POST", "/swarm/leave?force=1") == (503, "This node is not part of a swarm"))
    let active = try await SwarmRig()
    #expect(
      try await active.call("POST", "/swarm/leave")
        == (
          503,
          "You are attempting to leave the swarm on a node that is participating as a manager. Removing the last manager erases "
            + "all current state of the swarm. Use `--force` to ignore this message. "
        ))
    #expect(active.control.inner.withLock(\.leaves).isEmpty)
    #expect(try await active.call("POST", "/swarm/leave?force=1") == (200, ""))
    #expect(active.control.inner.withLock(\.leaves) == [true])
  }

  @Test("a refusal to leave is put together from its parts")
  func leaveTexts() {
    let start = "You are attempting to leave the swarm on a node that is participating as a manager. "
    let end =
      "The only way to restore a swarm that has lost consensus is to reinitialize it with `--force-new-cluster`. Use `--force` to "
      + "suppress this message."
    let quorum = "Removing this node leaves 1 managers out of 2. Without a Raft quorum your swarm will be inaccessible. "
    #expect(LeaveRefusal.text(managers: (2, 0)) == start + quorum + end)
    #expect(LeaveRefusal.text(managers: (3, 0)) == start + end)
    #expect(LeaveRefusal.text(managers: nil) == start + "Doing so may lose the consensus of your cluster. " + end)
  }

  static let cluster =
    #"{"ID":"clusteraaaaaaaaaaaaaaaaaa","Version":{"Index":101},"CreatedAt":"2024-05-01T10:00:00Z","UpdatedAt":"2024-05-01T10:00:00Z","#
    + #""Spec":{"Name":"default","Labels":{"a":"b"},"Orchestration":{"TaskHistoryRetentionLimit":5},"Raft":{"SnapshotInterval":10000,"#
    + #""KeepOldSnapshots":0,"LogEntriesForSlowFollowers":500,"ElectionTick":10,"HeartbeatTick":1},"Dispatcher":{"HeartbeatPeriod":"#
    + #"5000000000},"CAConfig":{"NodeCertExpiry":7776000000000000},"TaskDefaults":{},"EncryptionConfig":{"AutoLockManagers":false}},"#
    + #""TLSInfo":{},"RootRotationInProgress":false,"DefaultAddrPool":["10.0.0.0/8"],"SubnetSize":24,"DataPathPort":4789"#

  @Test("the swarm shows itself, with tokens to a manager's client only")
  func inspect() async throws {
    let rig = try await SwarmRig()
    let tokens =
      #","JoinTokens":{"Worker":"\#(Fixture.cluster.joinTokens.worker)","Manager":"\#(Fixture.cluster.joinTokens.manager)"}}"#
    #expect(try await rig.call("GET", "/swarm") == (200, Self.cluster + tokens))
    #expect(try await rig.call("GET", "/swarm/unlockkey") == (200, #"{"UnlockKey":""}"#))
    #expect(try await rig.call("POST", "/swarm/unlock", #"{"UnlockKey":"x"}"#) == (409, "swarm is not locked"))
    #expect(try await rig.call("POST", "/swarm/unlock", "{") == (400, "invalid JSON: unexpected EOF"))
    let inactive = try await SwarmRig(active: false)
    #expect(try await inactive.call("POST", "/swarm/unlock", "{}") == (503, SwarmTests.noSwarm))
  }

  @Test("a trust root is shown with its subject and key")
  func trustRoot() {
    #expect(ClusterJSON.tls("").text == "{}")
    #expect(ClusterJSON.tls("no certificate").text == #"{"TrustRoot":"no certificate"}"#)
  }

  @Test("an update replaces the spec and rotates tokens")
  func update() async throws {
    let rig = try await SwarmRig()
    let body = #"{"Orchestration":{"TaskHistoryRetentionLimit":2},"Labels":{"x":"y"}}"#
    #expect(
      try await rig.call("POST", "/swarm/update?version=101&rotateWorkerToken=true&rotateManagerToken=false", body) == (200, ""))
    let cluster = try #require(await rig.store.read(\.cluster))
    #expect(cluster.spec.orchestration.taskHistoryRetentionLimit == 2 && cluster.spec.labels == ["x": "y"])
    #expect(cluster.spec.name == "default" && cluster.spec.raft.snapshotInterval == nil)
    #expect(cluster.joinTokens.manager == Fixture.cluster.joinTokens.manager)
    #expect(cluster.joinTokens.worker != Fixture.cluster.joinTokens.worker && JoinToken.isValid(cluster.joinTokens.worker))
  }

  @Test(
    "an update that cannot be is refused",
    arguments: [
      ("version=x", "{}", 400, #"invalid swarm version 'x': strconv.ParseUint: parsing "x": invalid syntax"#),
      ("version=1", "{}", 500, "rpc error: code = Unknown desc = update out of sequence"),
      ("version=101&rotateWorkerToken=x", "{}", 400, "invalid value for rotateWorkerToken: x"),
      ("version=101&rotateManagerUnlockKey=x", "{}", 400, "invalid value for rotateManagerUnlockKey: x"),
      ("version=101", #"{"Name":"x"}"#, 400, #"swarm spec must be named "default""#),
      (
        "version=101", #"{"CAConfig":{"NodeCertExpiry":1}}"#, 400,
        "rpc error: code = InvalidArgument desc = minimum certificate expiry time is: 1h0m0s"
      ),
      (
        "version=101", #"{"CAConfig":{"SigningCAKey":"x"}}"#, 400,
        "rpc error: code = InvalidArgument desc = if a signing CA key is provided, the signing CA cert must also be provided"
      ),
      (
        "version=101", #"{"CAConfig":{"SigningCACert":"x"}}"#, 400,
        "rpc error: code = InvalidArgument desc = there must be at least one valid, reachable external CA corresponding to the desired CA certificate"
      ),
      (
        "version=101", #"{"CAConfig":{"ForceRotate":1,"ExternalCAs":[{"Protocol":"cfssl","URL":"https://x"}]}}"#, 400,
        "rpc error: code = InvalidArgument desc = external certificate authorities are not supported by this release of Skep"
      ),
      ("version=1", #"{"CAConfig":{"ForceRotate":1}}"#, 500, "rpc error: code = Unknown desc = update out of sequence"),
    ])
  func badUpdate(query: String, body: String, status: Int, message: String) async throws {
    let rig = try await SwarmRig()
    #expect(try await rig.call("POST", "/swarm/update?\(query)", body) == (status, message))
    #expect(rig.roots.wishes.withLock { $0 } == [], "no root is made in vain")
  }

  @Test("the root is rotated by a counter that changes or a root that is given, retargeted, and rotated back")
  func rootRotation() async throws {
    let rig = try await SwarmRig()
    func update(_ authority: String) async throws -> (JSONValue?, RootRotation?) {
      let version = await rig.store.read { $0.cluster?.version ?? 0 }
      let answer = try await rig.call("POST", "/swarm/update?version=\(version)", #"{"CAConfig":\#(authority)}"#)
      #expect(answer == (200, ""))
      let shown = try JSONValue(parsing: try await rig.call("GET", "/swarm").text)
      return (shown["RootRotationInProgress"], await rig.store.read { $0.cluster?.rotation })
    }
    let (isNew, first) = try await update(#"{"ForceRotate":1}"#)
    #expect(isNew == true && first?.certificate == "new 1")
    // What was counted already makes no other root.
    #expect(try await update(#"{"ForceRotate":1}"#).1 == first)
    #expect(try await update(#"{"ForceRotate":2}"#).1?.certificate == "new 2")
    let (_, given) = try await update(#"{"ForceRotate":2,"SigningCACert":"mine","SigningCAKey":"key"}"#)
    #expect(given?.certificate == "mine")
    #expect(try await update(#"{"ForceRotate":2,"SigningCACert":"mine","SigningCAKey":"key"}"#).1 == given)
    let (isOver, none) = try await update(#"{"ForceRotate":2,"SigningCACert":"present","SigningCAKey":"key"}"#)
    #expect(isOver == false && none == nil)
    #expect(rig.roots.wishes.withLock { $0.first } == .new && rig.roots.wishes.withLock { $0.count } == 5)
    #expect(try await rig.call("GET", "/swarm").text.contains("mine") == false)
  }

  @Test("while the root is replaced the cluster shows the old one with the new issuer, and nodes what they have")
  func rotationShown() throws {
    let (old, new) = (try CertificateAuthority.make(now: 1_600_000_000), try CertificateAuthority.make(now: 1_700_000_000))
    var cluster = Fixture.cluster
    cluster.trustRoot = old.certificatePEM
    cluster.rotation = try old.rotation(to: new)
    let names = try #require(CertificateNames(pem: new.certificatePEM))
    let shown = try ClusterJSON.value(cluster, withTokens: false)
    #expect(shown["RootRotationInProgress"] == true && shown["TLSInfo"]?["TrustRoot"] == .string(old.certificatePEM))
    #expect(shown["TLSInfo"]?["CertIssuerPublicKey"] == .string(Base64.encode(names.publicKey)))
    var node = Fixture.worker("w1")
    node.description?.tls = NodeTLS(trustRoot: old.certificatePEM, issuer: old.certificatePEM)
    let own = try NodeJSON.value(node, leaderID: "n1", tls: shown["TLSInfo"] ?? .null)["Description"]?["TLSInfo"]
    #expect(own == ClusterJSON.tls(old.certificatePEM))
    node.description?.tls = nil
    #expect(
      try NodeJSON.value(node, leaderID: "n1", tls: shown["TLSInfo"] ?? .null)["Description"]?["TLSInfo"] == shown["TLSInfo"])
  }

  @Test(
    "no way of writing a path of swarm's leads to the engine's own swarm mode",
    arguments: [
      "/v1.41.0/swarm/init", "/v1.41./swarm/init", "/v1/services", "/v99999999999999999999.1/tasks", "/services//logs",
      "//nodes/x",
      "/swarm/x", "/secrets/a/b/c", "/tasks/",
    ])
  func neverPiped(target: String) async throws {
    let rig = try await SwarmRig()
    let answer = try await rig.call("POST", target, "{}")
    #expect(answer == (404, "page not found"))
    #expect(try await rig.call("PUT", "/services") == (404, "page not found"))
    #expect(try await rig.call("DELETE", "/swarm") == (404, "page not found"))
    #expect(try await rig.call("GET", "/v1.41.0/containers/json").text == "piped")
  }
}
