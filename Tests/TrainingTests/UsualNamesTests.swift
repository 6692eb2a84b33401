import Checkpoints
import Foundation
import TestSupport
import Testing
import Training

/// Weights under the names that wrappers and averages have left in files.
@Suite struct UsualNamesTests {
  private let folder: TemporaryFolder
  private let original: any TensorSource
  private let fingerprint: String

  init() throws {
    folder = try TemporaryFolder()
    let path = Fixture.path("vqgan-tiny.ckpt")
    original = try CheckpointFile.open(path)
    fingerprint = try FirstStageFile.open(path).fingerprint()
  }

  private func zeros(_ name: String, like old: String) throws -> SafetensorsEntry {
    let shape = try original.shape(of: old)
    return SafetensorsEntry(
      name, shape: shape, floats: Array(repeating: 0, count: shape.reduce(1, *)))
  }

  /// The fingerprint of a file with these tensors.
  private func fingerprint(
    _ entries: [SafetensorsEntry], weights: WeightChoice = .ema
  ) throws -> String {
    let path = folder("\(UUID().uuidString).safetensors")
    try SafetensorsWriter.write(entries, to: path)
    return try FirstStageFile.open(path, weights: weights).fingerprint()
  }

  @Test(
    "Prefixes of wrappers",
    arguments: [
      "module.", "_orig_mod.", "model.", "vqgan.", "module._orig_mod.", "_orig_mod.module.",
      "model.vqgan.", "module.model.", "model._orig_mod.",
    ])
  func prefixes(prefix: String) throws {
    let entries = try original.names.map { try original.entry(of: $0, as: prefix + $0) }
    #expect(try fingerprint(entries) == fingerprint)
  }

  @Test("Wrappers of parts of the model, and a counter beside them")
  func wrappedParts() throws {
    let entries = try original.names.map { name in
      let parts = name.split(separator: ".", maxSplits: 1)
      return try original.entry(of: name, as: "\(parts[0])._orig_mod.\(parts[1])")
    }
    let counter = SafetensorsEntry("n_averaged", shape: [], integers: [7])
    #expect(try fingerprint(entries + [counter]) == fingerprint)
  }

  enum Form: CaseIterable, Sendable {
    case litEMA, litEMAOfWrapped, dotted, emaPyTorch

    func names(_ name: String) -> (plain: String, average: String) {
      let joined = name.filter { $0 != "." }
      return switch self {
      case .litEMA: (name, "model_ema.\(joined)")
      case .litEMAOfWrapped: ("model.\(name)", "model_ema.model\(joined)")
      case .dotted: ("module.\(name)", "ema.module.\(name)")
      case .emaPyTorch: ("online_model.\(name)", "ema_model.\(name)")
      }
    }
  }

  @Test("Averages beside the weights", arguments: Form.allCases)
  func averages(form: Form) throws {
    var entries = [
      SafetensorsEntry("model_ema.decay", shape: [], floats: [0.99]),
      SafetensorsEntry("model_ema.num_updates", shape: [], integers: [3]),
    ]
    for name in original.names {
      let names = form.names(name)
      entries.append(try original.entry(of: name, as: names.average))
      entries.append(try zeros(names.plain, like: name))
    }
    #expect(try fingerprint(entries) == fingerprint)
    let plain = try fingerprint(entries, weights: .plain)
    #expect(plain != fingerprint)
    let alone = entries.filter {
      form == .dotted || form == .emaPyTorch ? $0.name.contains("ema") : false
    }
    if !alone.isEmpty { #expect(try fingerprint(alone, weights: .plain) == fingerprint) }
  }

  /// Two models in one file are nobody's guess.
  @Test func twoModelsAreRefused() throws {
    let entries = try ["model.", "vqgan."].flatMap { prefix in
      try original.names.map { try original.entry(of: $0, as: prefix + $0) }
    }
    #expect(throws: ModelMismatchError.self) { try fingerprint(entries) }
  }

  @Test func notesAreToldOnce() throws {
    let path = folder("noted.safetensors")
    let entries = try original.names.map { try original.entry(of: $0, as: "module." + $0) }
    try SafetensorsWriter.write(entries, to: path)
    let told = Told()
    WeightNotes.report { file, note in if file == path { told.add(note) } }
    for _ in 0..<2 { _ = try CheckpointFile.open(path) }
    #expect(told.notes == ["names are read without \"module.\""])
  }
}

private final class Told: @unchecked Sendable {
  private let lock = NSLock()
  private var all: [String] = []
  func add(_ note: String) { lock.withLock { all.append(note) } }
  var notes: [String] { lock.withLock { all } }
}
