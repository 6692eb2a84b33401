// Names that wrappers and averages of weights have put into a file, and those that models have.

/// Which weights are taken where a file or a run has two of each.
package enum WeightChoice: String, Codable, CaseIterable, Sendable {
  /// The exponential moving averages, which are for use.
  case ema
  /// Those that the last step left.
  case plain
}

/// A file's tensors by the names that models have.
struct UsualNames {
  /// For each usual name the one in the file.
  private(set) var oldNames: [String: String] = [:]
  /// What was done, in words.
  private(set) var notes: [String] = []

  /// Parts of names that `DataParallel` and `torch.compile` add.
  private static let wrappers: Set = ["module", "_orig_mod"]
  /// Where averages stand: LitEma, ema-pytorch, dictionaries `{"ema": …}`.
  private static let averagePrefixes = ["model_ema.", "ema_model.", "ema."]
  /// The model beside `ema_model.`.
  private static let plainPrefix = "online_model."
  /// Models within a larger object.
  private static let owners = ["model.", "vqgan."]
  /// One tensor of each model that can be recognised.
  private static let marks = [
    "encoder.conv_in.weight", "tok_emb.weight", "transformer.tok_emb.weight", "features.0.weight",
    "net.slice1.0.weight", "loss.perceptual_loss.net.slice1.0.weight", "lin0.model.1.weight",
  ]
  /// Counters of those who average.
  private static let counters: Set = [
    "model_ema.decay", "model_ema.num_updates", "n_averaged", "initted", "step",
  ]

  /// - Parameter names: those in the file.
  /// - Returns: nil where they are the usual ones.
  init?(_ names: [String], _ choice: WeightChoice) {
    var plain: [String: String] = [:]
    var averages: [String: String] = [:]
    var stripped: [String] = []
    for name in names {
      let parts = name.split(separator: ".", omittingEmptySubsequences: false)
      let isWrapper = parts.dropLast().map { Self.wrappers.contains(String($0)) } + [false]
      let short = zip(parts, isWrapper).filter { !$1 }.map(\.0).joined(separator: ".")
      for (part, isWrapper) in zip(parts, isWrapper)
      where isWrapper && !stripped.contains("\(part).") {
        stripped.append("\(part).")
      }
      if let prefix = Self.averagePrefixes.first(where: short.hasPrefix) {
        averages[String(short.dropFirst(prefix.count))] = name
      } else {
        let isBesideAverages = short.hasPrefix(Self.plainPrefix)
        plain[isBesideAverages ? String(short.dropFirst(Self.plainPrefix.count)) : short] = name
      }
    }
    let isCounted = !averages.isEmpty || !stripped.isEmpty
    if isCounted {
      for counter in Self.counters { plain[counter] = nil }
      for counter in ["decay", "num_updates"] { averages[counter] = nil }
    }
    let isAveraged = !averages.isEmpty
    if plain.isEmpty { swap(&plain, &averages) }
    let owner = Self.stripOwners(of: &plain)
    _ = Self.stripOwners(of: &averages)
    guard isAveraged || !stripped.isEmpty || !owner.isEmpty else { return nil }
    if !owner.isEmpty { stripped.append(owner) }
    if !stripped.isEmpty {
      notes.append("names are read without \(stripped.map { "\"\($0)\"" }.joined(separator: ", "))")
    }
    oldNames = plain
    if isAveraged { take(averages, owner, choice) }
  }

  /// Removes what stands before all names of a model.
  private static func stripOwners(of names: inout [String: String]) -> String {
    var all = ""
    while all.utf8.count < 64, !marks.contains(where: { names[$0] != nil }),
      let owner = owners.first(where: { owner in
        names.keys.contains { name in
          name.hasPrefix(owner) && marks.contains { name.hasSuffix($0) }
        }
      })
    {
      var shorter: [String: String] = [:]
      for (name, old) in names where !name.hasPrefix(owner) { shorter[name] = old }
      for (name, old) in names where name.hasPrefix(owner) {
        shorter[String(name.dropFirst(owner.count))] = old
      }
      names = shorter
      all += owner
    }
    return all
  }

  private mutating func take(
    _ averages: [String: String], _ owner: String, _ choice: WeightChoice
  ) {
    if averages.isEmpty {
      notes.append("holds averaged weights alone; they are taken")
      return
    }
    guard choice == .ema else {
      notes.append("the plain weights are taken, not their averages")
      return
    }
    var count = 0
    for name in oldNames.keys {
      // LitEma leaves the dots out.
      let candidates = [name, name.filter { $0 != "." }, (owner + name).filter { $0 != "." }]
      guard let average = candidates.lazy.compactMap({ averages[$0] }).first else { continue }
      oldNames[name] = average
      count += 1
    }
    notes.append(
      "the averages of \(count) of \(oldNames.count) tensors are taken; for the plain weights "
        + "convert it with --weights plain, or train with --init-weights plain")
  }
}

extension TensorSource {
  /// The tensors by the names that models have, whatever wrapped the model in training.
  package func underUsualNames(_ choice: WeightChoice = .ema) -> any TensorSource {
    guard let usual = UsualNames(names, choice) else { return self }
    for note in usual.notes { WeightNotes.report(note, in: path) }
    return RenamedTensors(self, oldNames: usual.oldNames)
  }
}
