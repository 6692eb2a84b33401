// The page of a game on this machine: HTTP and a WebSocket on the loopback interface.
import DurableFiles
import FlyingFox
import FlyingSocks
import Foundation
import Images
import Platform
import Synchronization

/// The page cannot be served.
package enum PlayServerError: Error, Equatable, CustomStringConvertible {
  case portInUse(UInt16)
  case failed(port: UInt16, reason: String)

  package var description: String {
    switch self {
    case .portInUse(let port):
      "port \(port) of 127.0.0.1 is in use; name another with --port, or 0 for any that is free"
    case .failed(let port, let reason): "port \(port) of 127.0.0.1 cannot be opened: \(reason)"
    }
  }
}

/// Serves the page of a game to programs of this machine that know its token.
///
/// Every request must name this machine as its host, so that no page of another site reaches it
/// under a name of its own (DNS rebinding), and carry the token; a WebSocket that a browser opens
/// must come from the page itself.
package final class PlayServer: Sendable {
  /// The port that is served.
  package let port: UInt16
  package let token: String
  private let hub = PlayHub()
  private let server: HTTPServer

  /// Begins to serve.
  ///
  /// - Parameter port: 0 for any that is free.
  /// - Throws: `PlayServerError`.
  package init(port wanted: UInt16) async throws(PlayServerError) {
    var random = SystemRandomNumberGenerator()
    token = (0..<2).map { _ in random.next().padded(16, radix: 16) }.joined()
    let site = Site(token: token, hub: hub)
    let address: sockaddr_in
    do {
      address = try .inet(ip4: "127.0.0.1", port: wanted)
    } catch {
      throw .failed(port: wanted, reason: "\(error)")
    }
    server = HTTPServer(
      config: .init(address: address, logger: .disabled),
      handler: ClosureHTTPHandler { await site.response(to: $0) })
    port = try await Self.start(server, wanted)
    site.port.store(port, ordering: .releasing)
  }

  /// The page's address, token included.
  package var address: String { "http://127.0.0.1:\(port)/?token=\(token)" }

  /// Runs the server.
  ///
  /// - Returns: the port, when it listens.
  private static func start(
    _ server: HTTPServer, _ wanted: UInt16
  ) async throws(PlayServerError) -> UInt16 {
    let (outcomes, outcome) = AsyncStream.makeStream(of: Result<UInt16, PlayServerError>.self)
    Task.detached {
      do {
        try await server.run()
      } catch SocketError.failed(_, EADDRINUSE, _) {
        outcome.yield(.failure(.portInUse(wanted)))
      } catch {
        outcome.yield(.failure(.failed(port: wanted, reason: error.localizedDescription)))
      }
    }
    Task.detached {
      try? await server.waitUntilListening(timeout: 10)
      if case .ip4(_, let port) = await server.listeningAddress {
        outcome.yield(.success(port))
      } else {
        outcome.yield(.failure(.failed(port: wanted, reason: "it took too long")))
      }
    }
    let first = await outcomes.first { _ in true }
    return try (first ?? .failure(.failed(port: wanted, reason: "it has ended"))).get()
  }

  /// Waits for commands of the pages, at most until a time where there is one; while no page is
  /// open, the game waits.
  ///
  /// - Parameter poll: called at least ten times a second; what it throws ends the waiting.
  package func commands(
    until deadline: ContinuousClock.Instant?, poll: () throws -> Void
  ) rethrows -> [PlayCommand] {
    try hub.commands(until: deadline, poll: poll)
  }

  /// Sends an image with what is said of it to all pages.
  package func show(_ frame: PlayFrame) {
    hub.show(Self.message(of: frame))
  }

  /// The length of the status, 4 bytes, the highest first; the status, JSON; the image, PNG.
  private static func message(of frame: PlayFrame) -> Data {
    // Numbers and texts encode always.
    let status = (try? JSONEncoder().encode(frame.status)) ?? Data()
    let length = UInt32(status.count)
    var message = Data((0..<4).reversed().map { UInt8(truncatingIfNeeded: length >> (8 * $0)) })
    message += status
    message += frame.image.encodedPNG(level: 1)
    return message
  }

  /// Ends all connections and the server.
  package func stop() async {
    hub.close()
    await server.stop(timeout: 1)
  }
}

/// What the server answers.
private final class Site: Sendable {
  let port = Atomic<UInt16>(0)
  private let token: [UInt8]
  private let socket: WebSocketHTTPHandler

  init(token: String, hub: PlayHub) {
    self.token = Array(token.utf8)
    socket = .webSocket(hub)
  }

  func response(to request: HTTPRequest) async -> HTTPResponse {
    let port = port.load(ordering: .acquiring)
    let hosts = ["127.0.0.1:\(port)", "localhost:\(port)"]
    guard let host = request.headers[.host]?.lowercased(), hosts.contains(host) else {
      return refusal(.forbidden, "this page is served to \(hosts.joined(separator: " and ")) alone")
    }
    guard isToken(request.query["token"] ?? "") else {
      return refusal(.forbidden, "the token is wrong; take the address that play has printed")
    }
    guard request.method == .GET else { return refusal(.methodNotAllowed, "GET alone") }
    switch request.path {
    case "/":
      return HTTPResponse(
        statusCode: .ok,
        headers: Self.headers(
          of: "text/html",
          policy: "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
            + "img-src blob:; connect-src ws://\(host); frame-ancestors 'none'; base-uri 'none'"),
        body: Data(playPage.utf8))
    case "/socket":
      if let origin = request.headers[HTTPHeader("Origin")]?.lowercased(),
        !hosts.contains(where: { origin == "http://\($0)" })
      {
        return refusal(.forbidden, "a page of \(origin) may not play")
      }
      let response = try? await socket.handleRequest(request)
      return response ?? refusal(.badRequest, "no WebSocket")
    default: return refusal(.notFound, "there is / alone")
    }
  }

  /// Takes as long for a wrong token as for the right one.
  private func isToken(_ text: String) -> Bool {
    let bytes = Array(text.utf8)
    return bytes.count == token.count
      && zip(bytes, token).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
  }

  private static func headers(of type: String, policy: String) -> HTTPHeaders {
    HTTPHeaders([
      .contentType: "\(type); charset=utf-8", .cacheControl: "no-store",
      HTTPHeader("Content-Security-Policy"): policy,
      HTTPHeader("X-Content-Type-Options"): "nosniff",
      HTTPHeader("Referrer-Policy"): "no-referrer",
    ])
  }

  private func refusal(_ code: HTTPStatusCode, _ reason: String) -> HTTPResponse {
    HTTPResponse(
      statusCode: code, headers: Self.headers(of: "text/plain", policy: "default-src 'none'"),
      body: Data("\(reason)\n".utf8))
  }
}
