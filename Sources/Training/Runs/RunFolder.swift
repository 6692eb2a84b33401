// The folder of one training run: configuration, checkpoints, images, metrics.
import DurableFiles
import Foundation

/// Why a run folder cannot be used.
package enum RunError: Error, Equatable {
  case alreadyARun(path: String)
  /// Part of the run is a link, through which it would write and remove elsewhere.
  case isALink(path: String)
  /// What has the name of a folder of the run and is none.
  case notAFolder(path: String)
  /// Something of somebody else where a checkpoint of the run is to be.
  case inPlaceOfACheckpoint(path: String)
  /// A file of a name that a run gives, where there is no run.
  case externalFile(path: String)
  case noCheckpoint(path: String)
  case configDiffers(path: String, key: String, found: String, wanted: String)
  /// The shards of a run do not hold the rows any more that it was trained on.
  case otherData(path: String, key: String, use: String)
  case otherKind(path: String, found: String, expected: String)
  case damaged(path: String, problem: String)
  /// Something of a step is not finite; `last` is the step of the newest checkpoint that a run can
  /// go on from, with `canSkip` behind the step that is left out.
  case notFinite(path: String, step: Int, what: String, last: Int?, canSkip: Bool)
  /// So many steps in a row were skipped that going on is of no use.
  case onlySkipped(path: String, step: Int, count: Int, what: String, last: Int?)
  /// Where a run keeps a link there is something else.
  case notALink(path: String)
  /// The configuration of a run is gone, its checkpoints are not.
  case noConfig(path: String)
  /// Shards lie where a run is to begin.
  case holdsShards(path: String, name: String)
  /// A step needs more memory than the machine has.
  case tooLarge(what: String, gibibytes: Int, of: Int)
}

extension RunError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .alreadyARun(let path):
      "\(path): there is a run already; continue it with --resume or choose another --out"
    case .isALink(let path):
      "\(path): a link; a run writes only in its own folder: put the run itself where it points to"
    case .notAFolder(let path):
      "\(path): a file, and a run keeps a folder of this name; move it away"
    case .inPlaceOfACheckpoint(let path):
      "\(path): none of a run's files, and a checkpoint is to be written there; move it away"
    case .externalFile(let path):
      "\(path): exists, but there is no run here that wrote it, and it is not overwritten; choose "
        + "another --out"
    case .noCheckpoint(let path):
      "\(path): no checkpoint; expected the folder of a training run, one of its checkpoints, or a file of weights"
    case .configDiffers(let path, let key, let found, let wanted):
      "\(path): \(key) of the run is \(found), the options ask for \(wanted); a resumed run keeps it"
    case .otherData(let path, let key, let use):
      "\(path): \(key): the shards hold other rows than those that the run \(use); a resumed run "
        + "keeps its data"
    case .otherKind(let path, let found, let expected):
      "\(path): a run of kind \"\(found)\", expected \"\(expected)\""
    case .damaged(let path, let problem): "\(path): \(problem)"
    case .notFinite(let path, let step, let what, let last, let canSkip):
      "\(path): step \(step): \(what) is not finite; " + Self.advice(path, last)
        + (canSkip ? ", or go on with --resume --on-nonfinite skip" : "")
    case .onlySkipped(let path, let step, let count, let what, let last):
      "\(path): step \(step): \(what) is not finite, and \(count) steps in a row were skipped; "
        + Self.advice(path, last)
    case .notALink(let path):
      "\(path): a run keeps a link of this name, and this is none; move it away"
    case .noConfig(let path):
      "\(path): missing; its run cannot go on without it: restore it, or begin a new run with "
        + "--init-from and one of the checkpoints"
    case .holdsShards(let path, let name):
      "\(path): holds shards (\(name)); a run needs a folder of its own: choose another --out"
    case .tooLarge(let what, let needed, let machine):
      "\(what) needs over \(needed) GiB of memory, this machine has \(machine); "
        + "take a smaller --batch-size or a smaller model"
    }
  }
}

extension RunError {
  /// What to do where a training cannot go on.
  ///
  /// - Parameter last: the step of the checkpoint to begin from; nil for none.
  private static func advice(_ path: String, _ last: Int?) -> String {
    guard let last else {
      return "there is no checkpoint to go on from: begin a new run with a lower --learning-rate"
    }
    let checkpoint = RunFolder(path).checkpointPath(step: last)
    return "the checkpoint of step \(last) stays: begin a new run from it with --init-from "
      + "\(checkpoint) and a lower --learning-rate"
  }
}

/// A run folder: `config.json`, `checkpoints/step-000500/`, `checkpoints/last`, `images/`,
/// `metrics.csv`.
package struct RunFolder: Sendable {
  package let path: String

  package init(_ path: String) { self.path = path }

  package var configPath: String { "\(path)/config.json" }
  package var metricsPath: String { "\(path)/metrics.csv" }
  package var imagesPath: String { "\(path)/pictures" }
  var checkpointsPath: String { "\(path)/checkpoints" }

  /// Whether a run was begun here.
  package var exists: Bool { FileManager.default.fileExists(atPath: configPath) }

  /// Checks that `checkpoints` and the folder of images are folders and no links, and that what the
  /// run keeps links of is: a copy that follows them has folders there.
  ///
  /// - Throws: `RunError.isALink`, `notAFolder`, `notALink`.
  package func requireItsOwn() throws(RunError) {
    for folder in [checkpointsPath, imagesPath]
    where DurableFile.exists(folder) && !DurableFile.isRealFolder(folder) {
      throw DurableFile.isLink(folder) ? .isALink(path: folder) : .notAFolder(path: folder)
    }
    for link in linkPaths where DurableFile.exists(link) && !DurableFile.isLink(link) {
      throw .notALink(path: link)
    }
  }

  /// Sees to it that what is written and removed from here on is in this run's own `checkpoints`
  /// and folder of images, not in others that take their place; call it with the folder's lock held.
  ///
  /// - Throws: as `requireItsOwn`, `DurableFileError`.
  package func hold() throws {
    try requireItsOwn()
    try FolderLock.hold([checkpointsPath, imagesPath])
  }

  /// Checks that this is the folder of a run.
  ///
  /// - Throws: `RunError.noConfig` for one whose configuration is gone, `noCheckpoint`.
  package func requireARun() throws(RunError) {
    if exists { return }
    throw steps().isEmpty ? .noCheckpoint(path: path) : .noConfig(path: configPath)
  }

  /// Checks that the folder is none of shards.
  ///
  /// - Throws: `RunError.holdsShards`.
  package func requireNoShards() throws(RunError) {
    if let name = DurableFile.names(in: path).first(where: { $0.hasSuffix(".h5") }) {
      throw .holdsShards(path: path, name: name)
    }
  }

  /// Creates the folders and writes the configuration.
  ///
  /// - Throws: `RunError.alreadyARun`, `RunError.isALink`, `RunError.externalFile`,
  ///   `DurableFileError`.
  package func create(config: some Encodable) throws {
    if exists { throw RunError.alreadyARun(path: path) }
    try requireItsOwn()
    try requireNoShards()
    let inFolders = try [checkpointsPath, imagesPath].filter(DurableFile.exists).flatMap { folder in
      try DurableFile.list(folder).map { "\(folder)/\($0)" }
    }
    if let external = ([metricsPath] + inFolders).first(where: DurableFile.exists) {
      throw RunError.externalFile(path: external)
    }
    try DurableFile.createFolder(checkpointsPath)
    try update(config: config)
  }

  /// Writes the configuration of a run that goes on.
  package func update(config: some Encodable) throws {
    try Self.write(config, to: configPath)
  }

  /// The configuration of the run.
  ///
  /// - Throws: as `runConfig(_:from:)`.
  package func config<Settings>(_ type: RunConfig<Settings>.Type) throws -> RunConfig<Settings> {
    try Self.runConfig(type, from: configPath)
  }

  /// The configuration of a run from any file.
  ///
  /// - Throws: `RunError.otherKind`; `RunError.damaged` naming the key that is missing, unknown, of
  ///   another type or of an impossible value; `DurableFileError`.
  package static func runConfig<Settings>(
    _ type: RunConfig<Settings>.Type, from path: String
  ) throws -> RunConfig<Settings> {
    try requireKind(Settings.kind, in: path)
    let config = try decode(type, from: path)
    if let problem = config.problem { throw RunError.damaged(path: path, problem: problem) }
    return config
  }

  /// Checks what kind of run this is, if it is a run.
  ///
  /// - Throws: `RunError.otherKind`, `RunError.damaged`, `DurableFileError`.
  func requireKind(_ kind: String) throws {
    if exists { try Self.requireKind(kind, in: configPath) }
  }

  private static func requireKind(_ kind: String, in path: String) throws {
    let found = try decodeLoosely(Kind.self, from: path).kind
    guard found == kind else {
      throw RunError.otherKind(path: path, found: found, expected: kind)
    }
  }

  private struct Kind: Decodable { let kind: String }

  /// The name of a step's checkpoint and image, `step-000500`.
  package static func name(ofStep step: Int) -> String {
    "step-" + step.padded(6)
  }

  /// The checkpoint of a step, `checkpoints/step-000500`.
  package func checkpointPath(step: Int) -> String {
    "\(checkpointsPath)/\(Self.name(ofStep: step))"
  }

  /// The image of a step, `pictures/step-000500.png`.
  package func imagePath(step: Int) -> String { "\(imagesPath)/\(Self.name(ofStep: step)).png" }

  // MARK: JSON

  /// Bytes of the largest JSON file that is read; parsing takes 25 times as much memory.
  private static let maxJSONBytes = 16 << 20

  private static var encoder: JSONEncoder {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return encoder
  }

  /// Writes a value as JSON into a checkpoint's folder.
  package static func write(_ value: some Encodable, to path: String) throws {
    try DurableFile.write(Array(try encoder.encode(value)), to: path)
  }

  /// Reads a JSON file.
  ///
  /// - Throws: `RunError.damaged` naming the key that is missing, unknown or of another type;
  ///   `DurableFileError`.
  package static func decode<Value: Codable>(_ type: Value.Type, from path: String) throws
    -> Value
  {
    try decode(path) { try decodeStrictly(type, from: $0) }
  }

  static func decodeLoosely<Value: Decodable>(_ type: Value.Type, from path: String) throws
    -> Value
  {
    try decode(path) { try JSONDecoder().decode(type, from: $0) }
  }

  private static func decode<Value>(_ path: String, _ decoding: (Data) throws -> Value) throws
    -> Value
  {
    let data = Data(try DurableFile.read(path, atMost: maxJSONBytes))
    do {
      return try decoding(data)
    } catch let DecodingError.keyNotFound(key, context) {
      throw RunError.damaged(path: path, problem: "no key \"\(location(context, key))\"")
    } catch let DecodingError.typeMismatch(_, context) {
      throw RunError.damaged(
        path: path, problem: "\"\(location(context))\": \(context.debugDescription)")
    } catch let DecodingError.valueNotFound(_, context) {
      throw RunError.damaged(path: path, problem: "\"\(location(context))\": no value")
    } catch let DecodingError.dataCorrupted(context) {
      let problem = mistake(in: data) ?? "\"\(location(context))\": \(context.debugDescription)"
      throw RunError.damaged(path: path, problem: problem)
    } catch {
      throw RunError.damaged(path: path, problem: String(describing: error))
    }
  }

  /// Why a text is no JSON, with the location of its first mistake; `nil` if it is.
  private static func mistake(in data: Data) -> String? {
    do {
      _ = try JSONSerialization.jsonObject(with: data, options: .fragmentsAllowed)
      return nil
    } catch {
      let details = (error as NSError).userInfo[NSDebugDescriptionErrorKey] as? String
      return "not JSON: \(details ?? "\(data.count) bytes")"
    }
  }

  private static func location(_ context: DecodingError.Context, _ key: (any CodingKey)? = nil)
    -> String
  {
    (context.codingPath + (key.map { [$0] } ?? [])).map(\.stringValue).joined(separator: ".")
  }
}
