// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ClusterModel

@Suite("Values of a cluster")
struct ClusterValuesTests {
  static let eth0 = SystemAddress(interface: "eth0", address: "10.0.0.2")
  static let loopback = SystemAddress(interface: "lo", address: "127.0.0.1", isLocal: true)
  static let bridge = SystemAddress(interface: "docker0", address: "172.17.0.1", isBridge: true)
  static let host = [loopback, eth0, bridge]

  @Test(
    "addresses are found from what was given",
    arguments: [
      ("0.0.0.0:2377", "", "0.0.0.0", 2_377, "10.0.0.2", 2_377), ("0.0.0.0", "eth0", "0.0.0.0", 2_377, "10.0.0.2", 2_377),
      ("eth0:1000", "", "10.0.0.2", 1_000, "10.0.0.2", 1_000), ("10.0.0.2", "1.2.3.4:99", "10.0.0.2", 2_377, "1.2.3.4", 99),
      ("0.0.0.0:3000", "10.0.0.2", "0.0.0.0", 3_000, "10.0.0.2", 3_000),
      ("127.0.0.1", "", "127.0.0.1", 2_377, "127.0.0.1", 2_377),
      ("[::]:5", "[fd00::1]:6", "::", 5, "fd00::1", 6),
    ])
  func addresses(listen: String, advertise: String, host: String, port: UInt16, told: String, toldPort: UInt16) throws {
    let found = try SwarmAddresses(listen: listen, advertise: advertise, dataPath: "", system: Self.host)
    #expect(found.listenHost == host && found.port == port)
    #expect(found.advertiseHost == told && found.advertisePort == toldPort && found.dataPathHost == told)
  }

  @Test(
    "bad addresses are refused in swarm's words",
    arguments: [
      ("", "", "", #"invalid ListenAddr "": invalid empty address"#),
      ("nope", "", "", "listen address must be an IP address or network interface (with optional port number)"),
      ("0.0.0.0:x", "", "", "listen address must be an IP address or network interface (with optional port number)"),
      (
        "0.0.0.0", "0.0.0.0", "",
        "advertise address must be a non-zero IP address or network interface (with optional port number)"
      ),
      (
        "0.0.0.0", "eth9", "", "advertise address must be a non-zero IP address or network interface (with optional port number)"
      ),
      (
        "0.0.0.0", "eth0", "10.0.0.2:1",
        "data path address must be a non-zero IP address or network interface (without a port number)"
      ),
    ])
  func badAddresses(listen: String, advertise: String, data: String, expected: String) {
    #expect(throws: SpecError(expected)) {
      try SwarmAddresses(listen: listen, advertise: advertise, dataPath: data, system: Self.host)
    }
  }

  @Test("an address to advertise is chosen only when there is one")
  func choice() {
    func message(_ system: [SystemAddress], advertise: String = "") -> String? {
      do {
        _ = try SwarmAddresses(listen: "0.0.0.0:2377", advertise: advertise, dataPath: "", system: system)
        return nil
      } catch { return error.message }
    }
    let second = SystemAddress(interface: "eth0", address: "10.0.0.3")
    let other = SystemAddress(interface: "eth1", address: "192.168.1.2")
    let text = "could not choose an IP address to advertise since this system has multiple addresses on "
    #expect(message(Self.host) == nil)
    #expect(message(Self.host + [second]) == text + "interface eth0 (10.0.0.2 and 10.0.0.3)")
    #expect(message(Self.host + [other]) == text + "different interfaces (10.0.0.2 on eth0 and 192.168.1.2 on eth1)")
    #expect(message([Self.loopback, Self.bridge]) == "could not find the system's IP address")
    #expect(
      message(Self.host + [second], advertise: "eth0") == "interface eth0 has more than one IPv4 address (10.0.0.2 and 10.0.0.3)")
    let unclear =
      "must specify a listening address because the address to advertise is not recognized as a system address, and a system's IP "
      + "address to use could not be uniquely identified"
    #expect(message(Self.host + [other], advertise: "8.8.8.8") == unclear)
    #expect(message(Self.host, advertise: "8.8.8.8") == nil)
    #expect(message(Self.host + [SystemAddress(interface: "eth1", address: "fd00::1")]) == nil)
  }

  @Test("the operator's choice stands for the only address, and leaves the others for what is asked for by name")
  func outranked() throws {
    var outranked = SystemAddress(interface: "eth0", address: "10.0.0.3")
    outranked.isOutranked = true
    var other = SystemAddress(interface: "eth1", address: "192.168.1.2")
    other.isOutranked = true
    func found(_ advertise: String, _ dataPath: String) throws -> [String] {
      let found = try SwarmAddresses(
        listen: "0.0.0.0:2377", advertise: advertise, dataPath: dataPath, system: Self.host + [outranked, other])
      return [found.advertiseHost, found.dataPathHost]
    }
    #expect(try found("", "") == ["10.0.0.2", "10.0.0.2"])
    #expect(try found("eth0", "eth1") == ["10.0.0.2", "192.168.1.2"])
    #expect(try found("10.0.0.3", "") == ["10.0.0.3", "10.0.0.3"])
  }

  @Test(
    "bad pools and ports are refused in swarm's words",
    arguments: [
      (["x"], 0, 0, #"invalid CIDR: "x""#), (["10.0.0.0/8"], 30, 0, "subnet size is out of range: 30"),
      (["10.0.0.0/28"], 24, 0, #"invalid CIDR: "10.0.0.0/28". Subnet size is too small for pool: 24"#),
      (["10.0.0.0/8", "10.1.0.0/16"], 24, 0, #"invalid CIDR: "10.1.0.0/16". It overlaps with "10.0.0.0/8""#),
      ([], 0, 80, "Datapath port number is not in valid range (1024-49151) : 80"),
    ])
  func pools(pools: [String], size: Int, port: Int, expected: String) {
    #expect(throws: SpecError(expected)) { try AddressPools(pools: pools, subnetSize: size, dataPathPort: port) }
  }

  @Test("absent pools and ports are swarm's")
  func defaultPools() throws {
    let pools = try AddressPools(pools: [], subnetSize: 0, dataPathPort: 0)
    #expect(pools.pools == ["10.0.0.0/8"] && pools.subnetSize == 24 && pools.dataPathPort == 4_789)
  }

  @Test("cluster specs are checked in swarm's words")
  func clusterSpecs() {
    var spec = ClusterSpec.defaults
    spec.caConfig.nodeCertExpiry = 1
    #expect(throws: SpecError.invalidArgument("minimum certificate expiry time is: 1h0m0s")) { try spec.validate() }
    spec = .defaults
    spec.dispatcher.heartbeatPeriod = -1
    #expect(throws: SpecError.invalidArgument("heartbeat time period cannot be a negative duration")) { try spec.validate() }
    spec = .defaults
    spec.caConfig.externalCAs = [["Protocol": "x"]]
    #expect(throws: SpecError(#"invalid protocol: "x""#)) { try spec.validate() }
    spec.name = "other"
    #expect(throws: SpecError(#"swarm spec must be named "default""#)) { try spec.checkName() }
  }

  @Test("a rotated join token differs in its secret only")
  func tokens() throws {
    struct Zeros: RandomNumberGenerator { mutating func next() -> UInt64 { 1 } }
    var generator = Zeros()
    let digest = String(repeating: "a", count: 50)
    let token = "SWMTKN-1-\(digest)-\(String(repeating: "b", count: 25))"
    let rotated = try #require(JoinToken.rotated(token, using: &generator))
    #expect(rotated.hasPrefix("SWMTKN-1-\(digest)-") && rotated.utf8.count == token.utf8.count && rotated != token)
    for bad in ["", "SWMTKN-1-a-b", token + "-c", token.replacing("SWMTKN", with: "X"), token.uppercased()] {
      #expect(!JoinToken.isValid(bad))
    }
  }

  static let root = """
    -----BEGIN CERTIFICATE-----
    MIIBejCCASGgAwIBAgIUSuwZ8FVRxwLz2PvRXugtc/CPCfAwCgYIKoZIzj0EAwIw
    EzERMA8GA1UEAwwIc3dhcm0tY2EwHhcNMjYxMTIyMjM0NTM4WhcNNDYxMTE3MjM0
    NTM4WjATMREwDwYDVQQDDAhzd2FybS1jYTBZMBMGByqGSM49AgEGCCqGSM49AwEH
    A0IABPJwaB4bnB8HFGPVvmcw/QpcGUbi1M8Xo+gTeAcjjst3ZhvuIDpKMw9sySSN
    SQiZsvHTU4cCmslMUPtXZwAOULqjUzBRMB0GA1UdDgQWBBQb7RH40mx6GPpdNEIp
    TpokqWRYfDAfBgNVHSMEGDAWgBQb7RH40mx6GPpdNEIpTpokqWRYfDAPBgNVHRMB
    Af8EBTADAQH/MAoGCCqGSM49BAMCA0cAMEQCIFDztqeSTW91FtzPfk/RW6DN60fB
    wZel2Z4edN5ii1nMAiAcFMT+MlXX+Nt4wBc2/zk6ct38O62yp6/CUv/WcFlE7w==
    -----END CERTIFICATE-----
    """

  @Test("a root certificate's subject and key are taken from it whole")
  func certificate() throws {
    let names = try #require(CertificateNames(pem: Self.root))
    #expect(Base64.encode(names.subject) == "MBMxETAPBgNVBAMMCHN3YXJtLWNh")
    #expect(
      Base64.encode(names.publicKey)
        == "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE8nBoHhucHwcUY9W+ZzD9ClwZRuLUzxej6BN4ByOOy3dmG+4gOkozD2zJJI1JCJmy8dNThwKayUxQ+1dnAA5Qug=="
    )
    for bad in [
      "", "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----", String(Self.root.prefix(120)) + Self.root.suffix(26),
    ] {
      #expect(CertificateNames(pem: bad) == nil)
    }
  }

  @Test(
    "base64 is read and written", arguments: [([], ""), ([0x66], "Zg=="), ([0x66, 0x6F], "Zm8="), ([0xFF, 0xFE, 0xFD], "//79")])
  func base64(bytes: [UInt8], text: String) {
    #expect(Base64.encode(bytes) == text)
    #expect(Base64.decode(text) == bytes)
    #expect(Base64.decode(text.replacing("/", with: "_").replacing("=", with: "")) == bytes)
  }

  @Test("no base64 is no bytes", arguments: ["a", "a*==", "ä"])
  func badBase64(text: String) { #expect(Base64.decode(text) == nil) }

  @Test("a ratio of 32 bits prints in its own shortest form")
  func floats() throws {
    #expect(try GoJSONEncoder().encode([Float(0.1), 0, 1, 0.25]).text == "[0.1,0,1,0.25]")
  }
}
