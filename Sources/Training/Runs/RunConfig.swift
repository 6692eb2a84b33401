// What the configurations of all training runs have in common.
import Foundation

/// Everything that decides a training run: `config.json` of its folder.
package protocol RunConfig: Codable, Equatable, Sendable {
  /// The value of `kind` in the files of this type.
  static var kindName: String { get }

  var kind: String { get }
  var toolVersion: String { get set }
  var learningRate: LearningRate { get set }
  var clip: Float? { get set }  // longest gradient
  var averaging: Float? { get set }  // decay of the weights' moving average
  var steps: Int { get set }
  var batchSize: Int { get set }
  var accumulate: Int { get set }  // batches whose gradients are averaged for one step
  var shuffles: Bool { get set }
  var seed: UInt64 { get set }
  var threads: Int { get set }
  var engine: String { get set }
  var shards: [String] { get set }
  var validation: [String] { get set }
  var checkpointEvery: Int { get set }  // steps
  var keepCheckpoints: Int { get set }
  var logEvery: Int { get set }  // steps

  /// What makes this configuration impossible, in a sentence; `nil` if it can be trained.
  var problem: String? { get }
}

extension RunConfig {
  /// The problem of the keys that all runs have.
  var problemOfTheLoop: String? {
    let counts = [
      ("steps", steps, 1...1_000_000_000), ("batch_size", batchSize, 1...65_536),
      ("accumulate", accumulate, 1...65_536), ("threads", threads, 1...1024),
      ("checkpoint_every", checkpointEvery, 1...1_000_000_000),
      ("keep_checkpoints", keepCheckpoints, 1...1_000_000),
      ("log_every", logEvery, 1...1_000_000_000),
      ("learning_rate.warmup", learningRate.warmup, 0...999_999_999),
    ]
    for (key, value, range) in counts where !range.contains(value) {
      return "\(key) is \(value), expected \(range)"
    }
    guard learningRate.peak > 0, learningRate.peak.isFinite else {
      return "learning_rate.peak is \(learningRate.peak); it must be positive"
    }
    return nil
  }

  /// The problem of a longest gradient and of a moving average of the weights.
  func problem(ofClip clip: Float?, averaging: Float?) -> String? {
    if let clip, !(clip > 0 && clip.isFinite) { return "clip is \(clip); it must be positive" }
    if let averaging, !(averaging > 0 && averaging < 1) {
      return "ema is \(averaging); it must be between 0 and 1"
    }
    return nil
  }

  /// The keys that a resumed run may change: how long it goes on, what it keeps and says, and on what it computes.
  private static var changeableKeys: Set<String> {
    [
      "steps", "threads", "engine", "checkpoint_every", "keep_checkpoints", "picture_every",
      "validate_every", "log_every",
    ]
  }

  /// Checks that this configuration continues the run of `stored`.
  ///
  /// - Throws: `RunError.configDiffers` naming the first key that a resumed run may not change.
  package func requireContinuing(_ stored: Self, in folder: RunFolder) throws {
    let (old, new) = (try leaves(of: stored), try leaves(of: self))
    for key in Set(old.keys).union(new.keys).subtracting(Self.changeableKeys).sorted()
    where old[key] != new[key] {
      throw RunError.configDiffers(
        path: folder.path, key: key, found: old[key] ?? absent(key),
        wanted: new[key] ?? absent(key))
    }
  }

  /// What a key stands for that is not there.
  private func absent(_ key: String) -> String {
    key.split(separator: ".").last == "order" ? "\"raster\"" : "none"
  }
}

/// The values of a configuration as JSON texts, by their dotted keys.
private func leaves(of config: some Encodable) throws -> [String: String] {
  var leaves: [String: String] = [:]
  func collect(_ value: Any, at key: String) throws {
    if let fields = value as? [String: Any] {
      for (name, field) in fields { try collect(field, at: key.isEmpty ? name : "\(key).\(name)") }
    } else {
      let json = try JSONSerialization.data(
        withJSONObject: value, options: [.fragmentsAllowed, .withoutEscapingSlashes])
      leaves[key] = String(decoding: json, as: UTF8.self)
    }
  }
  try collect(try JSONSerialization.jsonObject(with: try JSONEncoder().encode(config)), at: "")
  return leaves
}
