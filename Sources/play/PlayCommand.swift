// play: one plays the dream of a world model with the keyboard.
import ArgumentParser
import CommandSupport
import Dispatch
import DurableFiles
import ModelCommands
import Models
import Playing
import Synchronization
import TensorCore
import Training

@main
struct PlayGame: ModelCommand {
  static let configuration = CommandConfiguration(
    commandName: "play",
    abstract: "Plays the dream of a world model with the keyboard, on a page or in the terminal.",
    usage: """
      play --world RUN
      play --world RUN --from-codes CODES... --images SHARDS... --out TAKES
      play --world RUN --terminal
      """,
    discussion: """
      Prints the address of a page on this machine, to be opened in a browser, and the paths of \
      what is recorded there. Ctrl-C ends it.
      """,
    version: SuiteVersion.ofModelCommand)

  @OptionGroup(title: "Game") var options: PlayOptions
  @OptionGroup(title: "Runtime") var runtime: RuntimeOptions
  @OptionGroup var seed: SeedOption
  @OptionGroup var results: ResultOptions

  func execute() throws {
    let console = runtime.console
    let folder = try options.out.map { try OutputFolder($0) }
    let terminal = options.terminal ? try RawTerminal() : nil
    let device = try runtime.startComputing(precision: options.imagining.precision)
    let path = try pathOrPiped(options.imagining.world, option: "--world", console: console)
    let world = try WorldStage.load(path, on: device)
    let codes = try options.fromCodes.isEmpty ? Self.codes(of: path) : options.fromCodes
    let games = try RecordedGames(
      for: world, at: path, vqgan: options.imagining.vqgan, from: codes, images: options.images,
      on: device,
      console: console)
    let dreamer = Dreamer(of: world.model, from: games.data, seed: seed.seed, batchSize: 1)
    try dreamer.requireMemory()
    let starts = try games.data.starts(
      options.starts, before: dreamer.given, behind: 1, in: games.shards.paths[0])
    let session = try PlaySession(
      dreamer, images: games.recorded, starts: starts, options: options.imagining.sampling)
    let writer = results.writer
    var written: [String] = []
    let save = folder.map { folder in
      { (take: PlayTake) in
        let paths = try take.write(
          to: Self.free(in: folder), fps: options.fps, of: games.codes,
          actions: world.model.config.actions, downsampling: games.vqgan.config.downsampling,
          toolVersion: SuiteVersion.current)
        written += paths
        // The screen of a terminal is that of the game.
        if terminal == nil { try paths.forEach(writer.path) }
        return paths
      }
    }
    var loop = PlayLoop(session, fps: options.fps, save: save)
    try Interruption.telling(console, "finished files stay") {
      guard let terminal else { return try serve(&loop) }
      let end = Result { try terminal.play(&loop, fps: options.fps) }
      try written.forEach(writer.path)
      try end.get()
    }
  }

  /// The code shards that a run was validated or else trained on.
  ///
  /// - Throws: `ValidationError` for what is no run.
  private static func codes(of path: String) throws -> [String] {
    let run = RunFolder(path)
    guard run.exists else {
      throw ValidationError("Missing --from-codes: \(path) is no run that names its shards.")
    }
    let config = try run.config(WorldRunConfig.self)
    return config.validation.isEmpty ? config.shards : config.validation
  }

  /// The path of the first take that is not there yet, without the end of its name.
  private static func free(in folder: OutputFolder) -> String {
    var number = 0
    func path() -> String { folder("take-\(number.padded(4))") }
    while DurableFile.exists("\(path()).png") || DurableFile.exists("\(path()).h5") { number += 1 }
    return path()
  }

  // MARK: The page

  private func serve(_ loop: inout PlayLoop) throws {
    let server = try Self.server(port: options.port)
    try results.writer.write(["address": server.address], text: server.address)
    runtime.console.note("open the address in a browser of this machine; Ctrl-C ends")
    try loop.run(
      commands: { try server.commands(until: $0) { try Interruption.throwIfRequested() } },
      show: server.show)
  }

  private static func server(port: UInt16) throws -> PlayServer {
    let outcome = Mutex<Result<PlayServer, PlayServerError>?>(nil)
    let isKnown = DispatchSemaphore(value: 0)
    Task.detached {
      let server: Result<PlayServer, PlayServerError>
      do throws(PlayServerError) {
        server = .success(try await PlayServer(port: port))
      } catch {
        server = .failure(error)
      }
      outcome.withLock { $0 = server }
      isKnown.signal()
    }
    isKnown.wait()
    do {
      guard let server = try outcome.withLock({ $0 })?.get() else { preconditionFailure() }
      return server
    } catch {
      throw CommandError(.busy, "\(error)")
    }
  }
}
