// A client of one connection, which blocks; nothing is hidden that a library would do.
import Foundation
import Platform

struct ClientError: Error, CustomStringConvertible {
  let description: String
}

/// HTTP and a WebSocket over one socket to 127.0.0.1.
final class PlainClient {
  private let descriptor: Int32
  private let port: UInt16

  /// What is awaited for more than ten seconds is an error.
  init(port: UInt16) throws {
    self.port = port
    #if canImport(Darwin)
      descriptor = socket(AF_INET, SOCK_STREAM, 0)
    #else
      descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    #endif
    var patience = timeval(tv_sec: 10, tv_usec: 0)
    setsockopt(
      descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    let connected = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard connected == 0 else { throw ClientError(description: "no connection") }
  }

  deinit { close() }

  func close() { _ = Platform.close(descriptor) }

  private func write(_ bytes: [UInt8]) throws {
    guard Platform.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else {
      throw ClientError(description: "cannot be sent: errno \(errno)")
    }
  }

  private func read(_ count: Int) throws -> [UInt8] {
    var bytes: [UInt8] = []
    while bytes.count < count {
      var part = [UInt8](repeating: 0, count: count - bytes.count)
      let read = recv(descriptor, &part, part.count, 0)
      guard read > 0 else { throw ClientError(description: "ended: \(read), errno \(errno)") }
      bytes += part[..<read]
    }
    return bytes
  }

  // MARK: HTTP

  struct Response: Sendable {
    let status: Int
    let head: String
    let body: String
  }

  /// - Parameter host: 127.0.0.1 with the port if left out, none if empty.
  func response(
    _ path: String, method: String = "GET", host: String? = nil, headers: [String] = []
  ) throws -> Response {
    let host = host ?? "127.0.0.1:\(port)"
    let lines =
      ["\(method) \(path) HTTP/1.1"] + (host.isEmpty ? [] : ["Host: \(host)"]) + headers
    try write(Array((lines + ["", ""]).joined(separator: "\r\n").utf8))
    var head: [UInt8] = []
    while !head.suffix(4).elementsEqual("\r\n\r\n".utf8) { head += try read(1) }
    let text = String(decoding: head, as: UTF8.self)
    let length = text.firstMatch(of: /(?i)content-length: (\d+)/).flatMap { Int($0.output.1) }
    return Response(
      status: Int(text.split(separator: " ")[1]) ?? 0, head: text,
      body: String(decoding: try read(length ?? 0), as: UTF8.self))
  }

  // MARK: WebSocket

  static let upgrade = [
    "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
  ]

  /// A whole message; the parts of one are put together.
  func message() throws -> [UInt8] {
    var message: [UInt8] = []
    while true {
      let head = try read(2)
      var length = Int(head[1] & 0x7f)
      if length >= 126 {
        length = try read(length == 126 ? 2 : 8).reduce(0) { $0 << 8 | Int($1) }
      }
      message += try read(length)
      guard head[0] & 0x0f != 8 else { throw ClientError(description: "closed") }
      if head[0] & 0x80 != 0 { return message }
    }
  }

  /// Sends a short text, masked with zeros.
  func send(text: String) throws {
    try write([0x81, 0x80 | UInt8(text.utf8.count), 0, 0, 0, 0] + Array(text.utf8))
  }
}
