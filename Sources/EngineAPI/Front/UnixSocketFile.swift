// SPDX-License-Identifier: Apache-2.0

import Glibc
import HTTPWire

/// A listening unix socket and its place in the file system.
struct UnixSocketFile: ListeningSocket {
  let descriptor: CInt
  private let path: String
  private let device: dev_t
  private let inode: ino_t

  /// Binds beside `path` and renames over it, so that clients find either the old socket or one that listens, with its final
  /// mode and group. A socket left by a dead process is replaced; one that answers is not.
  init(path: String, group: String?) throws {
    try Self.checkFree(path)
    let descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue), 0)
    guard descriptor >= 0 else { throw Self.failure("socket", path) }
    do {
      let status = try Self.bind(descriptor, path, group)
      self.init(descriptor: descriptor, path: path, device: status.st_dev, inode: status.st_ino)
    } catch {
      Glibc.close(descriptor)
      throw error
    }
  }

  private init(descriptor: CInt, path: String, device: dev_t, inode: ino_t) {
    self.descriptor = descriptor
    self.path = path
    self.device = device
    self.inode = inode
  }

  var presence: SocketPresence {
    guard let status = Self.status(path) else { return .missing }
    return status.st_dev == device && status.st_ino == inode ? .ours : .replaced
  }

  /// Removes the file, unless it is not ours any more.
  func remove() {
    if presence == .ours { unlink(path) }
  }

  private static func checkFree(_ path: String) throws {
    guard let status = status(path) else { return }
    guard status.st_mode & S_IFMT == S_IFSOCK else {
      throw FrontError(code: .notASocket, message: "\(path) exists and is not a socket")
    }
    let probe = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue), 0)
    defer { Glibc.close(probe) }
    let result = try withAddress(path) { connect(probe, $0, $1) }
    // A full backlog (EAGAIN) is a live listener too; refused means that nobody is behind the file.
    if result == 0 || errno == EAGAIN {
      throw FrontError(code: .socketInUse, message: "another process is listening on unix://\(path)")
    }
  }

  private static func bind(_ descriptor: CInt, _ path: String, _ group: String?) throws -> stat {
    let temporary = path + ".new"
    unlink(temporary)
    // Set before binding: the file is created with this mode, never with a wider one.
    guard fchmod(descriptor, 0o660) == 0 else { throw failure("chmod", path) }
    guard try withAddress(temporary, { Glibc.bind(descriptor, $0, $1) }) == 0 else { throw failure("bind", path) }
    defer { unlink(temporary) }
    // The umask may have taken the group's bits.
    guard chmod(temporary, 0o660) == 0 else { throw failure("chmod", path) }
    // Without the right to give it away it stays ours.
    if let id = group.flatMap(groupID) { _ = chown(temporary, uid_t.max, id) }
    guard listen(descriptor, ByteChannel.backlog) == 0 else { throw failure("listen", path) }
    guard let status = status(temporary), rename(temporary, path) == 0 else { throw failure("rename", path) }
    return status
  }

  private static func status(_ path: String) -> stat? {
    var result = stat()
    return lstat(path, &result) == 0 ? result : nil
  }

  private static func groupID(_ name: String) -> gid_t? {
    var entry = group()
    var found: UnsafeMutablePointer<group>?
    let size = 16_384
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: size) { buffer in
      getgrnam_r(name, &entry, buffer.baseAddress, size, &found) == 0 && found != nil ? entry.gr_gid : nil
    }
  }

  private static func withAddress(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> CInt) throws -> CInt {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
      throw FrontError(code: .system, message: "the socket path \(path) is too long")
    }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
    }
  }

  private static func failure(_ call: String, _ path: String) -> FrontError {
    FrontError(code: .system, message: "cannot listen on unix://\(path): \(call): \(String(cString: strerror(errno)))")
  }
}
