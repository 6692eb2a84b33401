// The players at a game: what they ask for, and who has seen which image.
import FlyingFox
import Foundation
import Synchronization

/// Where images go out to pages and their commands come in; several pages play the same game.
final class PlayHub: Sendable {
  private struct Client {
    let messages: AsyncStream<WSMessage>.Continuation
    var keys: PlayKeys = []
    /// Images that were sent and not drawn yet.
    var unseen = 0
    /// There is a newer image than the last that was sent.
    var isBehind = false
  }

  private struct State {
    var clients: [Int: Client] = [:]
    var joined = 0
    var commands: [PlayCommand] = []
    var last: Data?

    /// All that is down on any page.
    var keys: PlayKeys { clients.values.reduce(into: []) { $0.formUnion($1.keys) } }

    mutating func send(to number: Int) {
      guard let last, var client = clients[number] else { return }
      client.isBehind = client.unseen >= PlayHub.unseenLimit
      if !client.isBehind {
        client.messages.yield(.data(last))
        client.unseen += 1
      }
      clients[number] = client
    }
  }

  /// A page that is slow gets the newest image when it has drawn one, not all of them late.
  private static let unseenLimit = 2

  private let state = Mutex(State())
  private let arrived = DispatchSemaphore(value: 0)

  // MARK: The game's side

  /// Waits for commands: at most until a time, and as long as nobody is there.
  ///
  /// - Parameter poll: called at least ten times a second; what it throws ends the waiting.
  func commands(
    until deadline: ContinuousClock.Instant?, poll: () throws -> Void
  ) rethrows -> [PlayCommand] {
    while true {
      try poll()
      let (commands, isWatched) = state.withLock { state in
        defer { state.commands = [] }
        return (state.commands, !state.clients.isEmpty)
      }
      if !commands.isEmpty { return commands }
      var left = 0.1
      if let deadline, isWatched {
        left = min((deadline - .now) / .seconds(1), left)
        if left <= 0 { return [] }
      }
      _ = arrived.wait(timeout: .now() + left)
    }
  }

  /// Sends an image to all who have drawn the last but one.
  func show(_ message: Data) {
    state.withLock { state in
      state.last = message
      for number in state.clients.keys { state.send(to: number) }
    }
  }

  /// Ends all connections.
  func close() {
    state.withLock { state in
      for client in state.clients.values { client.messages.finish() }
      state.clients = [:]
    }
  }

  // MARK: The pages' side

  /// - Returns: the number of a new page.
  func join(_ messages: AsyncStream<WSMessage>.Continuation) -> Int {
    state.withLock { state in
      state.joined += 1
      state.clients[state.joined] = Client(messages: messages)
      state.send(to: state.joined)
      return state.joined
    }
  }

  /// A page has gone: its keys go up.
  func leave(_ number: Int) {
    state.withLock { state in
      guard let client = state.clients.removeValue(forKey: number) else { return }
      client.messages.finish()
      if !client.keys.isEmpty { state.commands.append(.keys(state.keys)) }
    }
    arrived.signal()
  }

  /// Obeys `keys up fire`, `do pause` or `seen`; other texts are left aside.
  func receive(_ text: String, from number: Int) {
    let words = text.split(separator: " ")
    state.withLock { state in
      switch words.first {
      case "keys":
        state.clients[number]?.keys = PlayKeys(named: words.dropFirst())
        state.commands.append(.keys(state.keys))
      case "do":
        if let command = words.dropFirst().first.flatMap({ PlayCommand(named: $0) }) {
          state.commands.append(command)
        }
      case "seen":
        guard let client = state.clients[number], client.unseen > 0 else { return }
        state.clients[number]?.unseen -= 1
        if client.isBehind { state.send(to: number) }
      default: break
      }
    }
    if words.first != "seen" { arrived.signal() }
  }
}

extension PlayHub: WSMessageHandler {
  func makeMessages(for client: AsyncStream<WSMessage>) async throws -> AsyncStream<WSMessage> {
    let (messages, continuation) = AsyncStream.makeStream(of: WSMessage.self)
    let number = join(continuation)
    Task {
      for await case .text(let text) in client { receive(text, from: number) }
      leave(number)
    }
    return messages
  }
}
