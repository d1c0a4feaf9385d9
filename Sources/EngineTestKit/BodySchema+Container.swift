// SPDX-License-Identifier: Apache-2.0

extension BodySchema {
  /// Of `POST /containers/create`.
  static let container = BodySchema.object([
    "Hostname": .text, "Domainname": .text, "User": .text, "AttachStdin": .flag, "AttachStdout": .flag, "AttachStderr": .flag,
    "ExposedPorts": .map(.object([:])), "Tty": .flag, "OpenStdin": .flag, "StdinOnce": .flag, "Env": texts, "Cmd": texts,
    "Entrypoint": texts, "Image": .text, "Volumes": .map(.object([:])), "WorkingDir": .text, "NetworkDisabled": .flag,
    "Labels": options, "StopSignal": .text, "StopTimeout": .number, "Shell": texts, "Healthcheck": healthcheck,
    "HostConfig": hostConfig, "NetworkingConfig": .object(["EndpointsConfig": .map(endpoint)]),
  ])

  private static let healthcheck = BodySchema.object([
    "Test": texts, "Interval": .number, "Timeout": .number, "StartPeriod": .number, "StartInterval": .since(44, .number),
    "Retries": .number,
  ])

  private static let hostConfig = BodySchema.object([
    "Binds": texts, "LogConfig": .object(["Type": .text, "Config": options]), "NetworkMode": .text,
    "PortBindings": .map(.list(.object(["HostIp": .text, "HostPort": .text]))),
    "RestartPolicy": .object(["Name": .text, "MaximumRetryCount": .number]), "AutoRemove": .flag, "VolumesFrom": texts,
    "Mounts": .list(mount), "CapAdd": texts, "CapDrop": texts, "CgroupnsMode": .text, "Dns": texts, "DnsOptions": texts,
    "DnsSearch": texts, "ExtraHosts": texts, "GroupAdd": texts, "IpcMode": .text, "OomScoreAdj": .number, "PidMode": .text,
    "Privileged": .flag, "PublishAllPorts": .flag, "ReadonlyRootfs": .flag, "SecurityOpt": texts, "StorageOpt": options,
    "Tmpfs": options, "UTSMode": .text, "UsernsMode": .text, "ShmSize": .number, "Sysctls": options, "Runtime": .text,
    "Isolation": .text, "CpuShares": .number, "CpuPeriod": .number, "CpuQuota": .number, "CpusetCpus": .text,
    "CpusetMems": .text, "Memory": .number, "MemoryReservation": .number, "MemorySwap": .number, "MemorySwappiness": .number,
    "NanoCpus": .number, "CgroupParent": .text, "OomKillDisable": .flag, "PidsLimit": .number, "Init": .flag,
    "Ulimits": .list(.object(["Name": .text, "Hard": .number, "Soft": .number])), "Annotations": .since(43, options),
  ])

  private static let mount = BodySchema.object([
    "Type": .text, "Source": .text, "Target": .text, "ReadOnly": .flag, "Consistency": .text,
    "BindOptions": .object([
      "Propagation": .text, "NonRecursive": .flag, "CreateMountpoint": .since(42, .flag),
      "ReadOnlyNonRecursive": .since(44, .flag), "ReadOnlyForceRecursive": .since(44, .flag),
    ]),
    "VolumeOptions": .object([
      "NoCopy": .flag, "Labels": options, "DriverConfig": .object(["Name": .text, "Options": options]),
      "Subpath": .since(45, .text),
    ]),
    "TmpfsOptions": .object(["SizeBytes": .number, "Mode": .number, "Options": .since(46, .list(texts))]),
    "ImageOptions": .since(48, .object(["Subpath": .text])),
  ])
}
