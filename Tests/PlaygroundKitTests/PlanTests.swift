// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import PlaygroundKit

@Suite struct PlanTests {
  let layout: Layout
  let network: NetworkPlan

  init() throws {
    layout = try Layout(directory: "/p")
    network = NetworkPlan(layout: layout)
  }

  func host(_ configuration: Configuration = .defaults) -> HostPlan {
    HostPlan(layout: layout, name: "n2", address: "10.77.0.2", configuration: configuration, binaries: "/b")
  }

  @Test("The switch is a bridge in a namespace of its own")
  func bridge() {
    #expect(
      network.makeSwitch().map(\.description) == [
        "ip netns add skep-\(layout.id)-sw",
        "ip -n skep-\(layout.id)-sw link set lo up",
        "ip -n skep-\(layout.id)-sw link add name switch type bridge",
        "ip -n skep-\(layout.id)-sw link set switch up",
      ])
  }

  @Test("A host is joined to the switch without touching the machine's own network, its link up last")
  func hostNetwork() {
    let (host, bridge) = ("skep-\(layout.id)-n2", "skep-\(layout.id)-sw")
    #expect(
      network.makeHost("n2", address: "10.77.0.2").map(\.description) == [
        "ip netns add \(host)",
        "ip -n \(bridge) link add name n2 type veth peer name eth0 netns \(host)",
        "ip -n \(bridge) link set n2 master switch up",
        "nsenter --net=/run/netns/\(host) -- sh -c echo 1 >/proc/sys/net/ipv4/ip_forward",
        "ip -n \(host) link set lo up",
        "ip -n \(host) link set eth0 address 02:73:0a:4d:00:02",
        "ip -n \(host) address add 10.77.0.2/24 dev eth0",
        "ip -n \(host) link set eth0 up",
      ])
  }

  @Test("skepd gets the sockets, folders and address of its host")
  func skepd() {
    let command = host(Configuration(logLevel: "debug", skepdArguments: ["--extra", "1"])).skepd(77)
    #expect(command.executable == "nsenter")
    #expect(command.arguments.prefix(6) == ["--target", "77", "--net", "--mount", "--uts", "--pid"])
    #expect(
      command.arguments.drop { $0 != "/b/skepd" } == [
        "/b/skepd", "--engine", "unix:///p/n2/engine.sock", "--listen", "unix:///p/n2/docker.sock", "--state-dir", "/p/n2/state",
        "--run-dir", "/run/skep", "--advertise-addr", "10.77.0.2", "--relay", "/b/skep-relay", "--log-level", "debug", "--extra",
        "1",
      ])
  }

  @Test(
    "The engine keeps everything below the host's folder, its own /run and its own control group",
    arguments: [nil, .vfs] as [Configuration.StorageDriver?])
  func engine(driver: Configuration.StorageDriver?) {
    let command = host(Configuration(engineArguments: ["--debug"], storageDriver: driver)).engine(77)
    #expect(
      command.arguments.drop { $0 != "dockerd" } == [
        "dockerd", "--data-root", "/p/n2/engine", "--exec-root", "/run/docker", "--pidfile", "/run/docker.pid", "-H",
        "unix:///p/n2/engine.sock", "--cgroup-parent", "/skep-\(layout.id)-n2", "--exec-opt", "native.cgroupdriver=cgroupfs",
        "--storage-driver", driver?.rawValue ?? "overlay2", "--debug",
      ])
  }

  @Test("A program on a host dies with who runs it; one on the client is a plain child")
  func enter() {
    #expect(
      host().enter(77, ["ps", "ax"]).description
        == "nsenter --target 77 --net --mount --uts --pid -- setpriv --pdeathsig KILL ps ax")
    #expect(
      Client(layout: layout).execCommand(["curl", "x"]).description
        == "nsenter --net=/run/netns/skep-\(layout.id)-client -- curl x")
  }

  @Test("docker talks to skepd where there is one, and never with the user's own settings")
  func docker() {
    let all = Host(plan: host(), network: network)
    let engineOnly = Host(plan: host(Configuration(daemons: .engineOnly)), network: network)
    #expect(all.dockerCommand(["ps"]).description == "docker --host unix:///p/n2/docker.sock ps")
    #expect(all.dockerCommand(["ps"], via: .engine).description == "docker --host unix:///p/n2/engine.sock ps")
    #expect(engineOnly.dockerCommand(["ps"]).description == "docker --host unix:///p/n2/engine.sock ps")
    #expect(all.dockerCommand(["ps"]).environment["DOCKER_CONTEXT"] == .some(nil))
    #expect(all.dockerCommand(["ps"]).environment["DOCKER_CONFIG"] == "/p/docker")
  }
}
