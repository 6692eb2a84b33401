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
      DurableFile.exists("\(checkpointsPath)/\(name)/state.json")
    {
      return "\(checkpointsPath)/\(name)"
    }
    return steps().last.map { "\(checkpointsPath)/\(Self.name(ofStep: $0))" }
  }

  /// Writes and publishes a checkpoint, points `last` to it and removes the oldest.
  ///
  /// Whenever the process dies, `last` leads to a complete checkpoint: the new one or the one
  /// before.
  ///
  /// - Parameters:
  ///   - count: checkpoints to keep, this one among them.
  ///   - fill: writes the files into the folder that it is given.
  /// - Throws: `DurableFileError`, `SafetensorsError` when what was written cannot be read again,
  ///   and what `fill` throws; the older checkpoints are then untouched.
  package func saveCheckpoint(
    step: Int, keeping count: Int, _ fill: (_ folder: String) throws -> Void
  ) throws {
    for folder in [checkpointsPath, imagesPath] { DurableFile.removeAbandoned(in: folder) }
    let name = Self.name(ofStep: step)
    let temporary = DurableFile.temporaryPath(for: "\(checkpointsPath)/\(name)")
    try DurableFile.createFolder(temporary)
    do {
      try fill(temporary)
      for file in DurableFile.names(in: temporary) where file.hasSuffix(".safetensors") {
        _ = try SafetensorsFile("\(temporary)/\(file)")
      }
    } catch {
      DurableFile.remove(temporary)
      throw error
    }
    try DurableFile.publishFolder(temporary, replacing: "\(checkpointsPath)/\(name)")
    try DurableFile.link(to: name, at: lastPath)
    for old in steps().filter({ $0 != step }).dropLast(max(count, 1) - 1) {
      DurableFile.remove("\(checkpointsPath)/\(Self.name(ofStep: old))")
    }
  }

  /// The steps of all complete checkpoints, in order.
  package func steps() -> [Int] {
    DurableFile.names(in: checkpointsPath).compactMap { name in
      name.hasPrefix("step-") ? Int(name.dropFirst(5)) : nil
    }.sorted()
  }
}
