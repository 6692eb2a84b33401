// The files of a checkpoint, and whether they are still those that were written.
import Checksums
import DurableFiles
import Foundation

extension TrainingState {
  private static let name = "state.json"

  /// Writes `state.json`, the last file of a checkpoint, with the SHA-256 of the others.
  ///
  /// - Throws: `DurableFileError`.
  func write(in checkpoint: String) throws {
    var state = self
    state.files = try DurableFile.list(checkpoint).reduce(into: [:]) { files, name in
      if name != Self.name { files[name] = try sha256(ofFile: "\(checkpoint)/\(name)") }
    }
    state.seal = try state.digest
    try RunFolder.write(state, to: "\(checkpoint)/\(Self.name)")
  }

  /// Reads the state of a checkpoint, and compares all of its files with what was written.
  ///
  /// - Throws: `RunError.damaged`, which names the newest checkpoint before it that is whole;
  ///   `DurableFileError`.
  static func read(in checkpoint: String) throws -> TrainingState {
    try RunFolder.advising(checkpoint) { try readWhole(checkpoint) }
  }

  /// The same, of the state alone.
  static func readAlone(in checkpoint: String) throws -> TrainingState {
    try RunFolder.advising(checkpoint) { try readSealed(checkpoint) }
  }

  private static func readSealed(_ checkpoint: String) throws -> TrainingState {
    let path = "\(checkpoint)/\(name)"
    let state = try RunFolder.decode(TrainingState.self, from: path)
    // Checkpoints of earlier versions have none of these.
    if state.seal != nil || state.files != nil || state.metricsRows != nil || state.metrics != nil
      || state.config != nil || state.ending != nil
    {
      let (found, expected) = (try state.digest, state.seal ?? "nothing")
      guard found == expected else {
        throw RunError.damaged(
          path: path, problem: "damaged: the SHA-256 of its values is \(found), it says \(expected)"
        )
      }
      guard state.files != nil else { throw RunFolder.withoutFiles(path) }
    }
    return state
  }

  fileprivate static func readWhole(_ checkpoint: String) throws -> TrainingState {
    guard DurableFile.exists("\(checkpoint)/\(name)") else {
      throw RunError.damaged(
        path: "\(checkpoint)/\(name)", problem: "missing; no run goes on without it")
    }
    let state = try readSealed(checkpoint)
    for (name, expected) in (state.files ?? [:]).sorted(by: { $0.key < $1.key }) {
      try RunFolder.requireWhole(name, in: checkpoint, expected)
    }
    return state
  }

  /// The SHA-256 of all values but the seal.
  private var digest: String {
    get throws {
      var state = self
      state.seal = nil
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      return Array(try encoder.encode(state)).withUnsafeBytes { sha256Hex($0) }
    }
  }
}

extension RunFolder {
  /// The keys of `state.json` by which files are compared.
  private struct Files: Decodable {
    let files: [String: String]?
    /// Versions that write this one also write the checksums.
    let rows: Int?
    let seal: String?

    enum CodingKeys: String, CodingKey {
      case files
      case rows = "metrics_rows"
      case seal = "sha256"
    }
  }

  /// Compares files of a checkpoint, before they are used, with what was written; one that is a
  /// link also with what was written where it leads to.
  ///
  /// A folder without a state, such as a converted one, and one of an earlier version are taken as
  /// they are.
  ///
  /// - Parameter names: those that may be there; one that was written must be.
  /// - Throws: as `TrainingState.read`.
  static func requireWhole(_ checkpoint: String, _ names: [String]) throws {
    try requireListed(names, in: checkpoint)
    for name in names where DurableFile.isLink("\(checkpoint)/\(name)") {
      try requireWholeFile("\(checkpoint)/\(name)")
    }
  }

  /// The same for a file of weights alone, whatever links lead to it: compared is one that has the
  /// name of a checkpoint's file and lies beside its state.
  ///
  /// - Throws: as `TrainingState.read`.
  package static func requireWholeFile(_ path: String) throws {
    let real = withoutLinks(path)
    let name = URL(fileURLWithPath: real).lastPathComponent
    guard sealedNames.contains(name) else { return }
    try requireListed([name], in: DurableFile.folder(of: real))
  }

  private static let sealedNames: Set = [
    "model.json", "model.safetensors", "ema.safetensors", "optimizer.safetensors",
  ]

  /// Where a link leads to when all links are followed; the path itself where there is none.
  static func withoutLinks(_ path: String) -> String {
    DurableFile.isLink(path) ? URL(fileURLWithPath: path).resolvingSymlinksInPath().path : path
  }

  fileprivate static func withoutFiles(_ path: String) -> RunError {
    .damaged(path: path, problem: "damaged: no key \"files\", which this version writes")
  }

  private static func requireListed(_ names: [String], in checkpoint: String) throws {
    let path = "\(checkpoint)/state.json"
    guard DurableFile.exists(path) else { return }
    try advising(checkpoint) {
      let state = try decodeLoosely(Files.self, from: path)
      guard let files = state.files else {
        if state.rows != nil || state.seal != nil { throw withoutFiles(path) }
        return
      }
      for name in names {
        if let expected = files[name] {
          try requireWhole(name, in: checkpoint, expected)
        } else if DurableFile.exists("\(checkpoint)/\(name)") {
          throw RunError.damaged(
            path: "\(checkpoint)/\(name)",
            problem: "not a file of this checkpoint, by its state.json")
        }
      }
    }
  }

  fileprivate static func requireWhole(
    _ name: String, in checkpoint: String, _ expected: String
  ) throws {
    let path = "\(checkpoint)/\(name)"
    guard !DurableFile.hasSlash(name), DurableFile.exists(path) else {
      throw RunError.damaged(path: path, problem: "missing; the checkpoint's state.json lists it")
    }
    let found = try sha256(ofFile: path)
    guard found == expected else {
      throw RunError.damaged(
        path: path,
        problem: "damaged: its SHA-256 is \(found), \(expected) was written (state.json)")
    }
  }

  /// Adds to the error of a damaged checkpoint of a run which one can be used instead.
  fileprivate static func advising<Result>(
    _ checkpoint: String, _ work: () throws -> Result
  ) throws -> Result {
    do {
      return try work()
    } catch RunError.damaged(let path, let problem) {
      let folder = URL(fileURLWithPath: checkpoint).resolvingSymlinksInPath()
      let name = folder.lastPathComponent
      guard let previous = wholeCheckpoint(before: checkpoint) else {
        throw RunError.damaged(path: path, problem: problem)
      }
      throw RunError.damaged(
        path: path,
        problem: "\(problem); \(previous) is whole: move \(name) away, and the run goes on from it")
    }
  }

  /// The newest checkpoint of a run before a given one that is as it was written and fits.
  static func wholeCheckpoint(
    before checkpoint: String, where fits: (TrainingState) -> Bool = { _ in true }
  ) -> String? {
    let path = URL(fileURLWithPath: checkpoint).resolvingSymlinksInPath()
    guard let step = step(ofName: path.lastPathComponent) else { return nil }
    let folder = path.deletingLastPathComponent().path
    return DurableFile.names(in: folder).compactMap(Self.step(ofName:)).filter { $0 < step }
      .sorted().last {
        (try? TrainingState.readWhole("\(folder)/\(name(ofStep: $0))")).map(fits) ?? false
      }.map(name(ofStep:))
  }

  /// The step of a checkpoint by its name; nil for other names, those of unfinished ones too.
  static func step(ofName name: String) -> Int? {
    name.hasPrefix("step-") ? Int(name.dropFirst(5)) : nil
  }
}

/// The SHA-256 of a file in hexadecimal, a piece in memory at a time.
func sha256(ofFile path: String) throws(DurableFileError) -> String {
  let file = try OpenFile(reading: path)
  var hash = SHA256()
  var position = 0
  while true {
    let bytes = try file.bytes(position..<position + 1 << 20)
    if bytes.isEmpty { return hexadecimal(hash.finalize()) }
    bytes.withUnsafeBytes { hash.update($0) }
    position += bytes.count
  }
}
