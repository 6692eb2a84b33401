// Everything that decides a training run, whatever it trains.
import Foundation
import TensorCore

/// The program and the part of the machine that a run computes with.
package struct Environment: Codable, Equatable, Sendable {
  package var toolVersion: String
  package var threads: Int

  package init(toolVersion: String, threads: Int) {
    self.toolVersion = toolVersion
    self.threads = threads
  }

  enum CodingKeys: String, CodingKey {
    case threads
    case toolVersion = "tool_version"
  }
}

/// The settings that one kind of run has beside those of its loop.
package protocol RunSettings: Codable, Equatable, Sendable {
  /// The value of `kind` in the files of this type.
  static var kind: String { get }
  /// The keys that a resumed run may change.
  static var changeableKeys: Set<String> { get }
  /// Keys with paths of files, which may lie elsewhere when a run goes on.
  static var pathKeys: Set<String> { get }
  /// The value, as JSON, that a key has where it is left out of the file; `nil` for none.
  static func absentValue(ofKey key: String) -> String?

  /// The precision of the matrix products of linear layers.
  var precision: Precision { get }
  /// A device that these settings ask for beside `precision`; nil for that of the precision.
  func device() -> Device?
  /// What makes these settings impossible, in a sentence; `nil` if they can be trained with.
  var problem: String? { get }
}

extension RunSettings {
  package static func absentValue(ofKey key: String) -> String? { nil }
  package var precision: Precision { .float32 }
  package func device() -> Device? { nil }
}

/// The configuration of a training run, complete: `config.json` of its folder.
///
/// The keys of its three parts lie side by side in the file, and so do their properties here:
/// `config.steps` is `config.loop.steps`.
@dynamicMemberLookup
package struct RunConfig<Settings: RunSettings>: Codable, Equatable, Sendable {
  package var environment: Environment
  package var loop: LoopSettings
  package var settings: Settings

  package init(_ settings: Settings, loop: LoopSettings, in environment: Environment) {
    self.environment = environment
    self.loop = loop
    self.settings = settings
  }

  private enum CodingKeys: String, CodingKey { case kind }

  package init(from decoder: any Swift.Decoder) throws {
    let kind = try decoder.container(keyedBy: CodingKeys.self).decode(String.self, forKey: .kind)
    guard kind == Settings.kind else {
      throw DecodingError.dataCorrupted(
        .init(
          codingPath: decoder.codingPath + [CodingKeys.kind],
          debugDescription: "\"\(kind)\", expected \"\(Settings.kind)\""))
    }
    environment = try Environment(from: decoder)
    loop = try LoopSettings(from: decoder)
    settings = try Settings(from: decoder)
  }

  package func encode(to encoder: any Swift.Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(Settings.kind, forKey: .kind)
    try environment.encode(to: encoder)
    try loop.encode(to: encoder)
    try settings.encode(to: encoder)
  }

  package subscript<Value>(dynamicMember path: WritableKeyPath<Environment, Value>) -> Value {
    get { environment[keyPath: path] }
    set { environment[keyPath: path] = newValue }
  }

  package subscript<Value>(dynamicMember path: WritableKeyPath<LoopSettings, Value>) -> Value {
    get { loop[keyPath: path] }
    set { loop[keyPath: path] = newValue }
  }

  package subscript<Value>(dynamicMember path: WritableKeyPath<Settings, Value>) -> Value {
    get { settings[keyPath: path] }
    set { settings[keyPath: path] = newValue }
  }

  package subscript<Value>(dynamicMember path: KeyPath<Settings, Value>) -> Value {
    settings[keyPath: path]
  }

  /// What makes this configuration impossible, in a sentence; `nil` if it can be trained.
  package var problem: String? {
    guard (1...1024).contains(environment.threads) else {
      return "threads is \(environment.threads); it must be in 1...1024"
    }
    return loop.problem?.description ?? settings.problem
  }
}

extension RunConfig {
  /// The keys that a resumed run may change: how long it goes on, what it keeps and says, and how
  /// many threads compute.
  private static var changeableKeys: Set<String> {
    LoopSettings.changeableKeys.union(Settings.changeableKeys).union(["threads"])
  }

  /// Checks that this configuration continues the run of `stored`.
  ///
  /// - Throws: `RunError.configDiffers` naming the first key that a resumed run may not change.
  package func requireContinuing(_ stored: Self, in folder: RunFolder) throws {
    let (old, new) = (try leaves(of: stored), try leaves(of: self))
    for key in Set(old.keys).union(new.keys).subtracting(Self.changeableKeys).sorted()
    where old[key] != new[key] {
      let absent = Settings.absentValue(ofKey: key) ?? "none"
      throw RunError.configDiffers(
        path: folder.path, key: key, found: old[key] ?? absent, wanted: new[key] ?? absent)
    }
  }

  /// What a checkpoint is of, values as JSON texts by their dotted keys: all that a resumed run may
  /// not change, but not where files lie.
  ///
  /// Shards are known by their rows (`TrainingState.data`), of other files that there is one.
  var identity: [String: String] {
    get throws {
      var identity = try leaves(of: self)
      for key in Self.changeableKeys.union(["shards", "validation", "tool_version", "preset"]) {
        identity[key] = nil
      }
      for key in Settings.pathKeys where identity[key] != nil { identity[key] = "a path" }
      return identity
    }
  }
}

extension TrainingState {
  /// Reads the state of a checkpoint, and compares all of its files with what was written and its
  /// configuration with that of the run that goes on.
  ///
  /// - Throws: `RunError.damaged`, also where the checkpoint is another run's or `config.json` was
  ///   edited: it names the key and what to do; `DurableFileError`.
  static func read<Settings: RunSettings>(
    in checkpoint: String, of config: RunConfig<Settings>, _ folder: RunFolder
  ) throws -> TrainingState {
    let state = try read(in: checkpoint)
    try state.requireSeed(config.seed, in: checkpoint)
    guard let found = state.config else { return state }
    let wanted = try config.identity
    guard
      let key = Set(found.keys).union(wanted.keys).sorted().first(where: { found[$0] != wanted[$0] }
      )
    else { return state }
    let absent = Settings.absentValue(ofKey: key) ?? "none"
    let name = URL(fileURLWithPath: checkpoint).resolvingSymlinksInPath().lastPathComponent
    if let own = RunFolder.wholeCheckpoint(before: checkpoint, where: { $0.config == wanted }) {
      throw RunError.damaged(
        path: "\(checkpoint)/state.json",
        problem: "another run's: its \(key) is \(found[key] ?? absent), that of config.json "
          + "\(wanted[key] ?? absent); \(own) is this run's: move \(name) away, and the run "
          + "goes on from it")
    }
    throw RunError.damaged(
      path: folder.configPath,
      problem: "\(key) is \(wanted[key] ?? absent), \(name) was trained with "
        + "\(found[key] ?? absent): put that back, or move \(name) away if it is another run's")
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
        withJSONObject: value, options: [.fragmentsAllowed, .sortedKeys, .withoutEscapingSlashes])
      leaves[key] = String(decoding: json, as: UTF8.self)
    }
  }
  try collect(try JSONSerialization.jsonObject(with: try JSONEncoder().encode(config)), at: "")
  return leaves
}
