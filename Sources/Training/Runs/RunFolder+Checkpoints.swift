// The checkpoints of a run: each a folder that appears when it is complete.
import Checkpoints
import DurableFiles
import Foundation

extension RunFolder {
  private var lastPath: String { "\(checkpointsPath)/last" }
  private var bestPath: String { "\(checkpointsPath)/best" }

  /// The links of a run, whatever is there.
  var linkPaths: [String] { [lastPath, bestPath] }

  /// The folder of the newest complete checkpoint, or the one that `checkpoints/last` was made to
  /// point to.
  ///
  /// - Throws: `RunError.noCheckpoint`, `DurableFileError`.
  package func lastCheckpoint() throws -> String {
    guard let checkpoint = try resumePoint() else { throw RunError.noCheckpoint(path: path) }
    return checkpoint
  }

  /// The checkpoint at which a continued run takes up; `nil` for a run that was cut short before
  /// its first.
  ///
  /// - Throws: `failed` where the folder cannot be read: a run must not begin anew for that.
  package func resumePoint() throws(DurableFileError) -> String? {
    if let name = try? FileManager.default.destinationOfSymbolicLink(atPath: lastPath),
      !DurableFile.hasSlash(name), DurableFile.exists("\(checkpointsPath)/\(name)/state.json")
    {
      return "\(checkpointsPath)/\(name)"
    }
    return try listedSteps().last.map { checkpointPath(step: $0) }
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
    if let known = try? DurableFile.read(path, atMost: 1 << 20),
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
    DurableFile.exists("\(checkpointPath(step: step))/\(Self.pinName)")
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
  ///   - other: the step of another one that stays.
  ///   - fill: writes the files into the folder that it is given.
  /// - Returns: old checkpoints that stay, for they hold something of somebody else: its paths.
  /// - Throws: `DurableFileError`, `SafetensorsError` when what was written cannot be read again,
  ///   `RunError.notFinite`, `inPlaceOfACheckpoint`, and what `fill` throws; the older checkpoints
  ///   are then untouched.
  @discardableResult
  package func saveCheckpoint(
    step: Int, keeping count: Int, best: Int? = nil, besides other: Int? = nil,
    _ fill: (_ folder: String) throws -> Void
  ) throws -> [String] {
    try FolderLock.check(checkpointsPath)
    try requireFree(step)
    removeAbandoned()
    let name = Self.name(ofStep: step)
    let temporary = DurableFile.temporaryPath(for: "\(checkpointsPath)/\(name)")
    try DurableFile.createFolder(temporary)
    do {
      try fill(temporary)
      for file in try DurableFile.list(temporary) where file.hasSuffix(".safetensors") {
        try SafetensorsFile("\(temporary)/\(file)").requireFinite()
      }
      if isPinned(step) {
        let pin = try DurableFile.read("\(checkpointsPath)/\(name)/\(Self.pinName)")
        try DurableFile.write(pin, to: "\(temporary)/\(Self.pinName)")
      }
    } catch let error as NotFiniteError {
      DurableFile.remove(temporary)
      throw notFinite(error.what, at: step, last: steps().last)
    } catch {
      DurableFile.remove(temporary)
      try FolderLock.check(temporary)  // rather than that something in it is missing
      throw error
    }
    do {
      try requireFree(step)  // it may have been filled meanwhile
    } catch {
      DurableFile.remove(temporary)
      throw error
    }
    try DurableFile.publishFolder(temporary, replacing: "\(checkpointsPath)/\(name)")
    try DurableFile.link(to: name, at: lastPath)
    return try keepOnly(count, with: step, best: best, other)
  }

  /// Does for a run that has ended what a save does behind its checkpoint: it may have died there.
  ///
  /// A run whose `last` was pointed back stays as it is.
  ///
  /// - Returns: as `saveCheckpoint`.
  func settle(
    at step: Int, keeping count: Int, best: Int?, besides other: Int?
  ) throws(DurableFileError) -> [String] {
    guard try listedSteps().last == step else { return [] }
    try DurableFile.link(to: Self.name(ofStep: step), at: lastPath)
    return try keepOnly(count, with: step, best: best, other)
  }

  /// Points `best` to the best checkpoint, or to none where none is kept, and removes the oldest of
  /// the others.
  ///
  /// - Returns: what of somebody else keeps some of those where they are.
  private func keepOnly(
    _ count: Int, with step: Int, best: Int?, _ other: Int?
  ) throws(DurableFileError) -> [String] {
    try FolderLock.check(checkpointsPath)
    if let best { try pointToBest(best) } else { DurableFile.remove(bestPath) }
    let spare = try listedSteps().filter {
      ![step, best, other].contains($0) && !isPinned($0)
    }
    var external: [String] = []
    for old in spare.dropLast(max(count, 1) - 1) {
      let path = checkpointPath(step: old)
      // Of a link only itself goes.
      if !DurableFile.isLink(path), let found = try Self.external(in: path) {
        external.append(found)
      } else {
        DurableFile.removePublished(path)
      }
    }
    return external
  }

  // MARK: What is not the run's

  private static let ownNames: Set = [
    "model.json", "model.safetensors", "ema.safetensors", "optimizer.safetensors", "state.json",
    pinName,
  ]

  /// The first thing in a checkpoint's folder that no run puts there, or what is no folder itself.
  private static func external(in checkpoint: String) throws(DurableFileError) -> String? {
    guard DurableFile.isRealFolder(checkpoint) else { return checkpoint }
    return try DurableFile.list(checkpoint).first {
      !ownNames.contains($0) || DurableFile.isRealFolder("\(checkpoint)/\($0)")
    }.map { "\(checkpoint)/\($0)" }
  }

  /// Checks that the checkpoint of a step replaces nothing but a checkpoint of a run.
  ///
  /// - Throws: `RunError.inPlaceOfACheckpoint`, `DurableFileError`.
  private func requireFree(_ step: Int) throws {
    let path = checkpointPath(step: step)
    if DurableFile.exists(path), let found = try Self.external(in: path) {
      throw RunError.inPlaceOfACheckpoint(path: found)
    }
  }

  /// The same for the steps that a run goes on to, whichever it comes to save.
  package func requireFree(behind step: Int, upTo last: Int) throws {
    for later in try listedSteps() where later > step && later <= last { try requireFree(later) }
  }

  /// Removes what dead processes have left unfinished; call it with the folder's lock held.
  package func removeAbandoned() {
    for folder in [checkpointsPath, imagesPath] where (try? FolderLock.check(folder)) != nil {
      DurableFile.removeAbandoned(in: folder)
    }
  }

  /// Points `best` to the checkpoint of a step, if it is there.
  func pointToBest(_ step: Int) throws(DurableFileError) {
    guard try listedSteps().contains(step) else { return }
    try DurableFile.link(to: Self.name(ofStep: step), at: bestPath)
  }

  /// The steps of all complete checkpoints, in order; none where they cannot be listed.
  package func steps() -> [Int] { (try? listedSteps()) ?? [] }

  /// - Throws: `failed` where they cannot be listed.
  func listedSteps() throws(DurableFileError) -> [Int] {
    guard DurableFile.exists(checkpointsPath) else { return [] }
    return try DurableFile.list(checkpointsPath).compactMap(Self.step(ofName:)).sorted()
  }
}
