import Foundation
import Images
import Models
import Playing
import Synchronization
import TestSupport
import Testing

@Suite("The page of a game", .serialized)
struct PlayServerTests {
  private final class Flag: Sendable {
    let isSet = Atomic(false)
  }

  private struct Over: Error {}

  /// Runs blocking work on a thread of its own: those of tasks are the server's.
  private static func onThread<R: Sendable>(
    _ work: @escaping @Sendable () throws -> R
  ) async throws -> R {
    try await withCheckedThrowingContinuation { continuation in
      Thread { continuation.resume(with: Result(catching: work)) }.start()
    }
  }

  /// Plays the dream at 50 images a second while clients do what a test says.
  private func playing<R: Sendable>(
    _ clients: @escaping @Sendable (PlayServer) throws -> R
  ) async throws -> R {
    let server = try await PlayServer(port: 0)
    let over = Flag()
    async let game: Void = Self.onThread {
      var loop = PlayLoop(try TestGame.session(), fps: 50)
      do {
        try loop.run(
          commands: {
            try server.commands(until: $0) {
              if over.isSet.load(ordering: .relaxed) { throw Over() }
            }
          }, show: server.show)
      } catch is Over {}
    }
    let result: Result<R, any Error>
    do {
      result = .success(try await Self.onThread { try clients(server) })
    } catch {
      result = .failure(error)
    }
    over.isSet.store(true, ordering: .relaxed)
    try await game
    await server.stop()
    return try result.get()
  }

  /// A page: what it is told, and that it has drawn it.
  private final class Page {
    let client: PlainClient

    init(_ server: PlayServer) throws {
      client = try PlainClient(port: server.port)
      let response = try client.response(
        "/socket?token=\(server.token)", headers: PlainClient.upgrade)
      guard response.status == 101 else { throw ClientError(description: response.head) }
    }

    /// The next image with its status.
    func image() throws -> (status: [String: Any], image: RGBImage) {
      let message = try client.message()
      let length = message[..<4].reduce(0) { $0 << 8 | Int($1) }
      let status = try jsonObject(String(decoding: message[4..<4 + length], as: UTF8.self))
      return (status, try ImageDecoder.decode(Array(message[(4 + length)...])))
    }

    /// Images until one fits, at most a hundred.
    func status(where fits: ([String: Any]) -> Bool) throws -> [String: Any] {
      for _ in 0..<100 {
        let status = try image().status
        try client.send(text: "seen")
        if fits(status) { return status }
      }
      throw ClientError(description: "no image fits")
    }

    func step() throws -> Int { try status { _ in true }["step"] as? Int ?? -1 }
  }

  // MARK: HTTP

  @Test func thePageIsWhole() async throws {
    let response = try await playing { server in
      try PlainClient(port: server.port).response("/?token=\(server.token)")
    }
    #expect(response.status == 200)
    #expect(response.head.contains("text/html; charset=utf-8"))
    #expect(response.head.contains("Content-Security-Policy: default-src 'none';"))
    #expect(response.body.contains("<canvas id=\"image\""))
    for outside in ["http:", "https:", "src=", "import "] {
      #expect(!response.body.contains(outside), "\(outside)")
    }
    #expect(response.body.hasSuffix("</html>"))
  }

  @Test(arguments: [
    ("/?token=TOKEN", "GET", "localhost:PORT", 200, ""),
    ("/?token=TOKEN", "GET", "evil.example:PORT", 403, "this page is served to"),
    ("/?token=TOKEN", "GET", "127.0.0.1", 403, "this page is served to"),
    ("/?token=TOKEN", "GET", "", 403, "this page is served to"),
    ("/", "GET", "127.0.0.1:PORT", 403, "token"),
    ("/?token=", "GET", "127.0.0.1:PORT", 403, "token"),
    ("/?token=0TOKEN", "GET", "127.0.0.1:PORT", 403, "token"),
    ("/?token=00000000000000000000000000000000", "GET", "127.0.0.1:PORT", 403, "token"),
    ("/socket", "GET", "127.0.0.1:PORT", 403, "token"),
    ("/?token=TOKEN", "POST", "127.0.0.1:PORT", 405, "GET"),
    ("/page?token=TOKEN", "GET", "127.0.0.1:PORT", 404, "/"),
    ("/socket?token=TOKEN", "GET", "127.0.0.1:PORT", 400, ""),
  ])
  func onlyThisMachineWithTheTokenIsServed(
    path: String, method: String, host: String, status: Int, words: String
  ) async throws {
    let response = try await playing { server in
      func filled(_ text: String) -> String {
        text.replacingOccurrences(of: "TOKEN", with: server.token)
          .replacingOccurrences(of: "PORT", with: "\(server.port)")
      }
      return try PlainClient(port: server.port).response(
        filled(path), method: method, host: filled(host))
    }
    #expect(response.status == status, "\(response.head)")
    #expect(words.isEmpty || response.body.contains(words), "\(response.body)")
    #expect(status == 200 || !response.body.contains("<canvas"))
  }

  @Test(arguments: [
    ("http://127.0.0.1:PORT", 101), ("http://localhost:PORT", 101), ("http://evil.example", 403),
    ("http://127.0.0.1:1", 403), ("null", 403),
  ])
  func aSocketIsOpenedByThePageAlone(origin: String, status: Int) async throws {
    let found = try await playing { server in
      let origin = origin.replacingOccurrences(of: "PORT", with: "\(server.port)")
      return try PlainClient(port: server.port).response(
        "/socket?token=\(server.token)", headers: PlainClient.upgrade + ["Origin: \(origin)"]
      ).status
    }
    #expect(found == status)
  }

  @Test func tokensDiffer() async throws {
    let one = try await playing { $0.token }
    let other = try await playing { $0.token }
    #expect(one != other && one.count == 32)
  }

  @Test func aPortInUseIsNamed() async throws {
    let server = try await PlayServer(port: 0)
    let expected = PlayServerError.portInUse(server.port)
    await #expect(throws: expected) { _ = try await PlayServer(port: server.port) }
    let message = expected.description
    #expect(message.hasPrefix("port \(server.port) of 127.0.0.1 is in use"))
    await server.stop()
  }

  // MARK: The game

  @Test func imagesArePushed() async throws {
    let sizes = try await playing { server in
      let page = try Page(server)
      var (steps, sizes) = ([Int](), [Int]())
      for _ in 0..<5 {
        let (status, image) = try page.image()
        try page.client.send(text: "seen")
        steps.append(status["step"] as? Int ?? -1)
        sizes += [image.width, image.height]
      }
      guard steps == steps.sorted(), steps[4] > steps[0] else {
        throw ClientError(description: "\(steps)")
      }
      return sizes
    }
    #expect(sizes == Array(repeating: 2, count: 10))
  }

  @Test func keysGoDownAndUp() async throws {
    try await playing { server in
      let page = try Page(server)
      try page.client.send(text: "keys right fire")
      _ = try page.status { $0["actionName"] as? String == "RIGHTFIRE" }
      try page.client.send(text: "keys ")
      _ = try page.status { $0["actionName"] as? String == "NOOP" }
      try page.client.send(text: "do pause")
      _ = try page.status { $0["isPaused"] as? Bool == true }
    }
  }

  @Test func twoPagesPlayTheSameGame() async throws {
    try await playing { server in
      let (one, other) = (try Page(server), try Page(server))
      try one.client.send(text: "keys up")
      _ = try other.status { $0["actionName"] as? String == "UP" }
      try other.client.send(text: "keys left")
      _ = try one.status { $0["actionName"] as? String == "UPLEFT" }
      one.client.close()
      _ = try other.status { $0["actionName"] as? String == "LEFT" }
    }
  }

  @Test func aSlowPageGetsTheNewestImage() async throws {
    try await playing { server in
      let page = try Page(server)
      let first = try page.image().status["step"] as? Int ?? -1
      let second = try page.image().status["step"] as? Int ?? -1
      guard second == first + 1 else { throw ClientError(description: "\(first), \(second)") }
      Thread.sleep(forTimeInterval: 0.5)
      try page.client.send(text: "seen")
      let third = try page.image().status["step"] as? Int ?? -1
      guard third > second + 5 else { throw ClientError(description: "\(second), \(third)") }
    }
  }

  @Test func whileNobodyIsThereTheGameWaits() async throws {
    try await playing { server in
      let page = try Page(server)
      let before = try page.step()
      page.client.close()
      Thread.sleep(forTimeInterval: 1)
      let after = try Page(server).step()
      guard after <= before + 25 else { throw ClientError(description: "\(before), \(after)") }
    }
  }

  @Test func nonsenseIsLeftAside() async throws {
    try await playing { server in
      let page = try Page(server)
      for text in ["", "do", "do dance", "keys jump", "seen", "seen seen", "☃"] {
        try page.client.send(text: text)
      }
      let step = try page.step()
      _ = try page.status { $0["step"] as? Int ?? -1 > step }
    }
  }
}
