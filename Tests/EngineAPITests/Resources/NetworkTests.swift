// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterRPC
import ClusterStore
import EngineTestKit
import Testing

@testable import EngineAPI

@Suite("Overlay networks over the API")
struct NetworkTests {
  /// Makes a network and returns its id.
  private static func make(_ rig: SwarmRig, _ name: String, _ more: String = "") async throws -> String {
    let (status, text) = try await rig.call("POST", "/networks/create", #"{"Name":"\#(name)","Driver":"overlay"\#(more)}"#)
    try #require(status == 201, "\(text)")
    return try #require(try JSONValue(parsing: text)["Id"]?.stringValue)
  }

  private static func json(_ rig: SwarmRig, _ target: String) async throws -> JSONValue {
    let (status, text) = try await rig.call("GET", target)
    try #require(status == 200, "\(text)")
    return try JSONValue(parsing: text)
  }

  @Test("what is made is listed and inspected as swarm shows it, by name, id and its beginning")
  func life() async throws {
    let rig = try await SwarmRig()
    let id = try await Self.make(
      rig, "back",
      #","Attachable":true,"Internal":true,"IPAM":{"Config":[{"Subnet":"10.8.0.0/24","IPRange":"10.8.0.128/25","Gateway":"10.8.0.9"}]},"#
        + #""Options":{"com.docker.network.driver.mtu":"1400"},"Labels":{"a":"b"}"#)
    let wanted = """
      {"Name":"back","Id":"\(id)","Created":"2024-05-01T10:00:00Z","Scope":"swarm","Driver":"overlay","EnableIPv4":true,\
      "EnableIPv6":false,"IPAM":{"Driver":"default","Options":null,"Config":[{"Subnet":"10.8.0.0/24","IPRange":"10.8.0.128/25",\
      "Gateway":"10.8.0.9"}]},"Internal":true,"Attachable":true,"Ingress":false,"ConfigFrom":{"Network":""},"ConfigOnly":false,\
      "Containers":null,"Options":{"com.docker.network.driver.mtu":"1400",\
      "com.docker.network.driver.overlay.vxlanid_list":"4097"},"Labels":{"a":"b"}}
      """
    for reference in ["back", id, String(id.prefix(12)), "back?scope=swarm"] {
      let found = try await rig.call("GET", "/networks/\(reference)").text
      #expect(found == wanted)
    }
    let names = try await Self.json(rig, "/networks").arrayValue?.map { $0["Name"]?.stringValue ?? "" }
    #expect(names == ["ingress", "back", "bridge", "host", "none"])
    let found = try await Self.json(rig, #"/networks?filters={"label":["a=b"],"driver":["overlay"]}"#)
    #expect(found.arrayValue?.map { $0["Id"] } == [.string(id)])
    #expect(try await rig.call("DELETE", "/networks/back") == (204, ""))
    #expect(try await rig.call("GET", "/networks/back") == (0, "/networks/back"))
  }

  @Test(
    "one that cannot be is refused, and nothing is made",
    arguments: [
      (#""Name":"back","Driver":"overlay""#, 409, "network with name back already exists"),
      (#""Name":"BACK","Driver":"bridge""#, 409, "network with name BACK already exists"),
      (#""Name":"own","Driver":"overlay""#, 409, "network with name own already exists"),
      (#""Name":"bridge","Driver":"overlay""#, 409, "network with name bridge already exists"),
      (#""Driver":"overlay""#, 400, "rpc error: code = InvalidArgument desc = meta: name must be provided"),
      (
        #""Name":"x.y","Driver":"overlay""#, 400,
        "rpc error: code = InvalidArgument desc = name must be valid as a DNS name component"
      ),
      (
        #""Name":"x","Driver":"overlay","Ingress":true,"Attachable":true"#, 400,
        "rpc error: code = InvalidArgument desc = ingress network cannot be attachable"
      ),
      (
        #""Name":"x","Driver":"overlay","Ingress":true"#, 409,
        "rpc error: code = AlreadyExists desc = ingress network (ingressclusteraaaaaaaaaaa) is already present"
      ),
      (#""Name":"x","Driver":"overlay","EnableIPv4":false"#, 400, "IPv4 cannot be disabled in a Swarm scoped network"),
      (
        #""Name":"x","Driver":"overlay","EnableIPv6":true"#, 400,
        "rpc error: code = InvalidArgument desc = IPv6 overlay networks are not supported by this release of Skep"
      ),
      (
        #""Name":"x","Driver":"overlay","Options":{"encrypted":""}"#, 400,
        "rpc error: code = InvalidArgument desc = encrypted overlay networks are not supported by this release of Skep"
      ),
      (
        #""Name":"x","Driver":"overlay","IPAM":{"Config":[{"Subnet":"x"}]}"#, 400,
        "rpc error: code = InvalidArgument desc = ipam configuration: invalid subnet x"
      ),
      (
        #""Name":"x","Driver":"overlay","Labels":{"com.docker.swarm.predefined":"true"}"#, 403,
        "rpc error: code = PermissionDenied desc = label com.docker.swarm.predefined is for internally created predefined networks "
          + "and cannot be applied by users"
      ),
      (
        #""Name":"x","Driver":"weave","Scope":"swarm""#, 400,
        "rpc error: code = InvalidArgument desc = swarm-scoped networks of driver weave are not supported by this release of Skep"
      ),
    ])
  func refused(body: String, status: Int, message: String) async throws {
    let rig = try await SwarmRig()
    _ = try await Self.make(rig, "back")
    _ = try await rig.engine.createNetwork(["Name": "own"])
    #expect(try await rig.call("POST", "/networks/create", "{\(body)}") == (status, message))
    #expect(await rig.store.read { $0.networks.count } == 1)
  }

  @Test("a service names them as it likes; ids are kept, and what is in use stays")
  func use() async throws {
    let rig = try await SwarmRig()
    let (back, front) = (try await Self.make(rig, "back"), try await Self.make(rig, "front"))
    let service = try await rig.create(
      #"{"Name":"web","TaskTemplate":{"ContainerSpec":{"Image":"x"},"#
        + #""Networks":[{"Target":"back","Aliases":["w"]},{"Target":"\#(front.prefix(9))"},{"Target":"\#(back)"}]}}"#)
    let spec = await rig.store.read { $0.services[service]?.spec.taskTemplate.networks }
    #expect(spec == [.init(target: back, aliases: ["w"]), .init(target: front)])
    #expect(
      try await rig.call("DELETE", "/networks/back")
        == (400, "rpc error: code = FailedPrecondition desc = network \(back) is in use by service \(service)"))
    try await rig.store.transaction { $0.removeService(service) }
    #expect(try await rig.call("DELETE", "/networks/back").status == 204)
  }

  @Test("one that is not there and one of the engine's are refused to a service")
  func foreign() async throws {
    let rig = try await SwarmRig()
    _ = try await Self.make(rig, "back")
    _ = try await rig.engine.createNetwork(["Name": "own"])
    let refusals = [
      (#"{"Target":"gone"}"#, 404, "network gone not found"),
      (
        #"{"Target":"own"}"#, 403,
        "The network own cannot be used with services. Only networks scoped to the swarm can be used, such as those created with "
          + "the overlay driver."
      ),
    ]
    for (networks, status, message) in refusals {
      let body = #"{"Name":"web","TaskTemplate":{"ContainerSpec":{"Image":"x"},"Networks":[\#(networks)]}}"#
      #expect(try await rig.call("POST", "/services/create", body) == (status, message))
    }
  }

  @Test("a service is refused where there is no room for its own address, and asks for none with dnsrr")
  func noRoom() async throws {
    let rig = try await SwarmRig()
    let id = try await Self.make(rig, "tiny", #","IPAM":{"Config":[{"Subnet":"10.8.0.0/30"}]}"#)
    let task = #""TaskTemplate":{"ContainerSpec":{"Image":"x"},"Networks":[{"Target":"tiny"}]}"#
    let service = try await rig.create(#"{"Name":"web",\#(task)}"#)
    try await rig.store.transaction { transaction in
      guard var stored = transaction.service(service) else { return }
      let address = IPv4Address(bits: 0x0A08_0002)
      stored.endpoint = .init(spec: EndpointSpec(), ports: [], virtualIPs: [.init(networkID: id, address: address)])
      transaction.put(stored)
    }
    #expect(
      try await rig.call("POST", "/services/create", #"{"Name":"other",\#(task)}"#)
        == (400, "rpc error: code = FailedPrecondition desc = no free address on network tiny"))
    let version = await rig.version(ofService: service)
    let update = #"{"Name":"web","Labels":{"a":"b"},\#(task)}"#
    #expect(try await rig.call("POST", "/services/web/update?version=\(version)", update).status == 200)
    try await rig.create(#"{"Name":"round","EndpointSpec":{"Mode":"dnsrr"},\#(task)}"#)
  }

  @Test("services and tasks show their addresses on them")
  func shown() async throws {
    let rig = try await SwarmRig()
    let id = try await Self.make(rig, "back")
    let service = try await rig.create(
      #"{"Name":"web","TaskTemplate":{"ContainerSpec":{"Image":"x"},"Networks":[{"Target":"back"}]}}"#)
    try await rig.store.transaction { transaction in
      guard var stored = transaction.service(service) else { return }
      let address = IPv4Address(bits: 0x0A01_0002)
      stored.endpoint = .init(
        spec: EndpointSpec(mode: "vip"), ports: [], virtualIPs: [.init(networkID: id, address: address)])
      transaction.put(stored)
      var task = Fixture.task("t1", of: stored)
      task.addresses = [.init(networkID: id, address: IPv4Address(bits: 0x0A01_0003))]
      transaction.put(task)
    }
    #expect(
      try await Self.json(rig, "/services/web")["Endpoint"]?.text
        == #"{"Spec":{"Mode":"vip"},"VirtualIPs":[{"NetworkID":"\#(id)","Addr":"10.1.0.2/24"}]}"#)
    let attachment = try await Self.json(rig, "/tasks/t1")["NetworksAttachments"]?.arrayValue?.first
    #expect(attachment?["Addresses"] == ["10.1.0.3/24"] && attachment?["Network"]?["ID"] == .string(id))
    #expect(
      try await rig.call("DELETE", "/networks/back").text.hasSuffix("network \(id) is in use by service \(service)"))
    try await rig.store.transaction { $0.removeService(service) }
    #expect(try await rig.call("DELETE", "/networks/back").text.hasSuffix("network \(id) is in use by task t1"))
  }

  @Test("prune takes those that nobody uses and that the filters mean, beside the engine's")
  func prune() async throws {
    let rig = try await SwarmRig()
    _ = try await Self.make(rig, "used")
    _ = try await Self.make(rig, "kept", #","Labels":{"keep":"yes"}"#)
    _ = try await Self.make(rig, "idle")
    _ = try await rig.create(#"{"Name":"web","TaskTemplate":{"ContainerSpec":{"Image":"x"},"Networks":[{"Target":"used"}]}}"#)
    let target = "/networks/prune?filters=%7B%22label%21%22%3A%5B%22keep%22%5D%7D"
    #expect(try await rig.call("POST", target).text == #"{"NetworksDeleted":["idle"]}"#)
    #expect(await rig.store.read { $0.networks.values.map(\.name).sorted() } == ["kept", "used"])
    #expect(await rig.engine.calls.contains { $0.contains("skep.cluster") })
  }

  @Test("events tell of what comes and goes")
  func events() async throws {
    let rig = try await SwarmRig()
    let before = await rig.store.read { $0 }
    let id = try await Self.make(rig, "back")
    let after = await rig.store.read { $0 }
    let network = try #require(after.networks[id])
    let told =
      ClusterEvent.events(of: [.network(network)], before: before, now: .zero)
      + ClusterEvent.events(of: [.network(network), .removeNetwork(id)], before: after, now: .zero)
    #expect(
      told.map { "\($0.kind) \($0.action) \($0.attributes["name"] ?? "")" } == ["network create back", "network remove back"])
  }

  @Test("what is left of one on this host is nobody's to see or to remove")
  func leftover() async throws {
    let rig = try await SwarmRig()
    _ = try await rig.engine.createNetwork(["Name": "back", "Labels": [Labels.network: "gone"]])
    for method in ["GET", "DELETE"] {
      #expect(try await rig.call(method, "/networks/back") == (404, "network back not found"))
    }
    #expect(try await !rig.call("GET", "/networks").text.contains("back"))
  }

  @Test("docker run and docker network connect ask for a place, and the engine is told of it")
  func attached() async throws {
    let rig = try await SwarmRig()
    _ = try await Self.make(rig, "back", #","Attachable":true"#)
    let place = AttachedPlace(
      engineName: "1-back", address: IPv4Address(bits: 0x0A01_0005), gateway: IPv4Address(bits: 0x0A01_0001))
    rig.control.inner.withLock { $0.attachments["back"] = .success(place) }
    let body =
      #"{"Image":"x","Labels":{"a":"b"},"HostConfig":{"NetworkMode":"back","Dns":["9.9.9.9"]},"#
      + #""NetworkingConfig":{"EndpointsConfig":{"back":{"Aliases":["w"],"IPAMConfig":{"IPv4Address":"10.1.0.5"}},"own":null}}}"#
    let (status, text) = try await rig.call("POST", "/v1.44/containers/create?name=c", body)
    let request = try #require(rig.control.inner.withLock { $0.attached }.first)
    #expect(request.address == place.address && request.aliases == ["w"] && request.container.count == 25)
    let wanted =
      #"/v1.44/containers/create?name=c{"Image":"x","Labels":{"a":"b","skep.attachment":"\#(request.container)","#
      + #""skep.nameservers":"9.9.9.9"},"HostConfig":{"NetworkMode":"1-back","Dns":["10.1.0.1"]},"NetworkingConfig":"#
      + #"{"EndpointsConfig":{"own":null,"1-back":{"IPAMConfig":{"IPv4Address":"10.1.0.5"},"MacAddress":"02:42:0a:01:00:05"}}}}"#
    #expect(status == 0 && text == wanted)
    for body in [#"{"Image":"x","HostConfig":{"NetworkMode":"own"}}"#, #"{"Image":"x"}"#, "{"] {
      #expect(try await rig.call("POST", "/containers/create", body) == (0, "/containers/create" + body))
    }
  }

  @Test("a container that is there is connected and disconnected, if the network takes others than tasks")
  func connected() async throws {
    let rig = try await SwarmRig()
    let id = try await Self.make(rig, "back")
    let container = try await rig.engine.createContainer(name: "mine", config: ["Image": "web:1"]).id
    let refusal = RPCFailure(.permissionDenied, "network back not manually attachable")
    rig.control.inner.withLock { $0.attachments[id] = .failure(refusal) }
    let body = #"{"Container":"\#(container)"}"#
    #expect(
      try await rig.call("POST", "/networks/\(id)/connect", body)
        == (
          403, "Could not attach to network \(id): rpc error: code = PermissionDenied desc = network back not manually attachable"
        ))
    let place = AttachedPlace(
      engineName: "back", address: IPv4Address(bits: 0x0A01_0005), gateway: IPv4Address(bits: 0x0A01_0001))
    rig.control.inner.withLock { $0.attachments[id] = .success(place) }
    #expect(
      try await rig.call("POST", "/v1.41/networks/\(id)/connect", body).text
        == #"/v1.41/networks/back/connect{"Container":"\#(container)","EndpointConfig":{"IPAMConfig":{"IPv4Address":"10.1.0.5"}}}"#
    )
    #expect(rig.control.inner.withLock { $0.attached.map(\.container) } == [container, container])
    _ = try await rig.engine.createNetwork(["Name": "back", "Labels": [Labels.network: .string(id)]])
    #expect(try await rig.call("POST", "/networks/\(id)/disconnect", body).text == "/networks/back/disconnect\(body)")
    #expect(try await rig.call("POST", "/networks/own/disconnect", body).text == "/networks/own/disconnect\(body)")
  }

  @Test("a worker shows this host's parts of them, and its engine's parts as nothing else")
  func worker() async throws {
    let rig = try await SwarmRig(active: false)
    rig.control.inner.withLock { $0.swarm = .worker(.init(nodeID: "n2", address: "10.9.0.2", managers: [], error: nil)) }
    _ = try await rig.engine.createNetwork([
      "Name": "back", "Labels": [Labels.cluster: "c", Labels.network: "netid", "a": "b"],
      "Options": [Network.bridgeOption: "skep-n4097"],
    ])
    let list = try await Self.json(rig, "/networks").arrayValue ?? []
    #expect(list.map { $0["Name"]?.stringValue } == ["back", "bridge", "host", "none"])
    for reference in ["back", "netid"] {
      let json = try await Self.json(rig, "/networks/\(reference)")
      #expect(json["Id"] == "netid" && json["Driver"] == "overlay" && json["Scope"] == "swarm" && json["Labels"] == ["a": "b"])
      #expect(json["Options"] == [NetworkJSON.tunnelOption: "4097"])
    }
    #expect(try await rig.call("DELETE", "/networks/back") == (503, SwarmText.worker))
    #expect(try await Self.json(rig, #"/networks?filters={"driver":["overlay"]}"#).arrayValue?.count == 1)
  }
}
