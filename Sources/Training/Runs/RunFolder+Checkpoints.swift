// The checkpoints of a run: each a folder that appears when it is complete.
import Checkpoints
import DurableFiles
import Foundation

extension RunFolder {
  private var lastPath: String { "\(checkpointsPath)/last" }

  /// The folder of the newest complete checkpoint, or the one that `checkpoints/last` was made to
  /// point to.
  ///
  /// - Throws: `RunError.noCheckpoint`.
  package func lastCheckpoint() throws(RunError) -> String {
    guard let checkpoint = resumePoint() else { throw .noCheckpoint(path: path) }
    return checkpoint
  }

  /// The checkpoint at which a continued run takes up; `nil` for a run that was cut short before
  /// its first.
  package func resumePoint() -> String? {
    if let name = try? FileManager.default.destinationOfSymbolicLink(atPath: lastPath),
      !name.contains("/"), DurableFile.exists("\(checkpointsPath)/\(name)/state.json")
    {
      return "\(checkpointsPath)/\(name)"
    }
    return steps().last.map { "\(checkpointsPath)/\(Self.name(ofStep: $0))" }
  }

  /// Marks a checkpoint as one that is in use: none that is pinned is ever removed.
  ///
  /// - Parameters:
  ///   - checkpoint: its folder.
  ///   - user: what needs it, a line of its file `pinned`.
  /// - Returns: whether it could be marked.
  package static func pin(_ checkpoint: String, for user: String) -> Bool {
    let path = "\(checkpoint)/\(pinName)"
    let line = "\(user)\n"
    if let known = try? DurableFile.read(path),
      String(decoding: known, as: UTF8.self).contains(line)
    {
      return true
    }
    do {
      let file = try OpenFile(appendingTo: path)
      try file.write(Array(line.utf8))
      try file.sync()
      return DurableFile.exists("\(checkpoint)/model.json")  // not removed meanwhile
    } catch {
      return false
    }
  }

  private static let pinName = "pinned"

  private func isPinned(_ step: Int) -> Bool {
    DurableFile.exists("\(checkpointsPath)/\(Self.name(ofStep: step))/\(Self.pinName)")
  }

  /// Writes and publishes a checkpoint, points `last` to it and removes the oldest.
  ///
  /// Whenever the process dies, `last` leads to a complete checkpoint: the new one or the one
  /// before.
  ///
  /// - Parameters:
  ///   - count: checkpoints to keep, this one among them; those that are pinned and the best one
  ///     are kept besides.
  ///   - best: the step of the best one, to which `best` points; `nil` where none is kept.
  ///   - fill: writes the files into the folder that it is given.
  /// - Throws: `DurableFileError`, `SafetensorsError` when what was written cannot be read again,
  ///   `RunError.notFinite`, and what `fill` throws; the older checkpoints are then untouched.
  package func saveCheckpoint(
    step: Int, keeping count: Int, best: Int? = nil, _ fill: (_ folder: String) throws -> Void
  ) throws {
    for folder in [checkpointsPath, imagesPath] { DurableFile.removeAbandoned(in: folder) }
    let name = Self.name(ofStep: step)
    let temporary = DurableFile.temporaryPath(for: "\(checkpointsPath)/\(name)")
    try DurableFile.createFolder(temporary)
    do {
      try fill(temporary)
      for file in DurableFile.names(in: temporary) where file.hasSuffix(".safetensors") {
        try SafetensorsFile("\(temporary)/\(file)").requireFinite()
      }
      if isPinned(step) {
        let pin = try DurableFile.read("\(checkpointsPath)/\(name)/\(Self.pinName)")
        try DurableFile.write(pin, to: "\(temporary)/\(Self.pinName)")
      }
    } catch let error as NotFiniteError {
      DurableFile.remove(temporary)
      throw notFinite(error.tensor, at: step)
    } catch {
      DurableFile.remove(temporary)
      throw error
    }
    try DurableFile.publishFolder(temporary, replacing: "\(checkpointsPath)/\(name)")
    try DurableFile.link(to: name, at: lastPath)
    if let best { try pointToBest(best) }
    let spare = steps().filter { $0 != step && $0 != best && !isPinned($0) }
    for old in spare.dropLast(max(count, 1) - 1) {
      DurableFile.removePublished("\(checkpointsPath)/\(Self.name(ofStep: old))")
    }
  }

  /// Points `best` to the checkpoint of a step, if it is there.
  func pointToBest(_ step: Int) throws(DurableFileError) {
    guard steps().contains(step) else { return }
    try DurableFile.link(to: Self.name(ofStep: step), at: "\(checkpointsPath)/best")
  }

  /// The steps of all complete checkpoints, in order.
  package func steps() -> [Int] {
    DurableFile.names(in: checkpointsPath).compactMap { name in
      // None of "step-000500.tmp-…".
      name.hasPrefix("step-") ? Int(name.dropFirst(5)) : nil
    }.sorted()
  }
}
