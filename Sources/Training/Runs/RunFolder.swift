// The folder of one training run: configuration, checkpoints, pictures, metrics.
import DurableFiles
import Foundation

/// Why a run folder cannot be used.
package enum RunError: Error, Equatable {
  case alreadyARun(path: String)
  case noCheckpoint(path: String)
  case configDiffers(path: String, option: String, found: String, expected: String)
  case damaged(path: String, problem: String)
}

extension RunError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .alreadyARun(let path):
      "\(path): there is a run already; continue it with --resume or choose another --out"
    case .noCheckpoint(let path): "\(path): no checkpoint; is this the folder of a training run?"
    case .configDiffers(let path, let option, let found, let expected):
      "\(path): the run was made with \(option) \(found), now \(expected); a resumed run keeps its options"
    case .damaged(let path, let problem): "\(path): \(problem)"
    }
  }
}

/// A run folder: `config.json`, `checkpoints/step-000500/`, `checkpoints/last`, `pictures/`, `metrics.csv`.
package struct RunFolder: Sendable {
  package let path: String

  package init(_ path: String) { self.path = path }

  package var configPath: String { "\(path)/config.json" }
  package var metricsPath: String { "\(path)/metrics.csv" }
  package var picturesPath: String { "\(path)/pictures" }
  var checkpointsPath: String { "\(path)/checkpoints" }

  /// Whether a run was begun here.
  package var exists: Bool { FileManager.default.fileExists(atPath: configPath) }

  /// Creates the folders and writes the configuration.
  ///
  /// - Throws: `RunError.alreadyARun`, `DurableFileError`.
  package func create(config: some Encodable) throws {
    if exists { throw RunError.alreadyARun(path: path) }
    try DurableFile.createFolder(checkpointsPath)
    try DurableFile.createFolder(picturesPath)
    try DurableFile.write(Array(try Self.encoder.encode(config)), to: configPath)
  }

  /// The configuration of the run.
  ///
  /// - Throws: `RunError.damaged` naming the key that is missing, unknown or of another type.
  package func config<Config: Codable>(_ type: Config.Type) throws -> Config {
    try Self.decode(type, from: configPath)
  }

  /// The name of a step's checkpoint and picture, `step-000500`.
  package static func name(ofStep step: Int) -> String {
    let digits = String(step)
    return "step-" + String(repeating: "0", count: max(0, 6 - digits.count)) + digits
  }

  /// The picture of a step, `pictures/step-000500.png`.
  package func picturePath(step: Int) -> String { "\(picturesPath)/\(Self.name(ofStep: step)).png" }

  // MARK: JSON

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
  /// - Throws: `RunError.damaged` naming the key that is missing, unknown or of another type; `DurableFileError`.
  package static func decode<Value: Codable>(_ type: Value.Type, from path: String) throws
    -> Value
  {
    let data = Data(try DurableFile.read(path))
    do {
      return try decodeStrictly(type, from: data)
    } catch let DecodingError.keyNotFound(key, context) {
      throw RunError.damaged(path: path, problem: "no key \"\(place(context, key))\"")
    } catch let DecodingError.typeMismatch(_, context) {
      throw RunError.damaged(
        path: path, problem: "\"\(place(context))\": \(context.debugDescription)")
    } catch let DecodingError.valueNotFound(_, context) {
      throw RunError.damaged(path: path, problem: "\"\(place(context))\": no value")
    } catch let DecodingError.dataCorrupted(context) {
      throw RunError.damaged(path: path, problem: "\(place(context)) \(context.debugDescription)")
    } catch {
      throw RunError.damaged(path: path, problem: String(describing: error))
    }
  }

  private static func place(_ context: DecodingError.Context, _ key: (any CodingKey)? = nil)
    -> String
  {
    (context.codingPath + (key.map { [$0] } ?? [])).map(\.stringValue).joined(separator: ".")
  }
}
