import Shards

/// The pictures of both splits, chosen by `--percent`, `--holdout` and `--limit`.
struct PictureChoice: Equatable {
  private(set) var training: [PlannedPicture]
  private(set) var validation: [PlannedPicture]

  /// - Parameters:
  ///   - training: pictures in their order, of which some may be held out.
  ///   - validation: pictures that the corpus itself keeps for validation.
  init(
    training: [PlannedPicture], validation: [PlannedPicture] = [], options: SquareOptions
  ) {
    let kept = Self.share(options.percent, of: training, seed: options.seed).chosen
    let split = Self.share(options.holdout, of: kept, seed: ~options.seed)
    let held =
      split.chosen + Self.share(options.percent, of: validation, seed: options.seed).chosen
    self.init(training: split.rest, validation: held, limit: options.limit)
  }

  /// The first pictures of each split.
  init(training: [PlannedPicture], validation: [PlannedPicture], limit: Int?) {
    self.training = Array(training.prefix(limit ?? .max))
    self.validation = Array(validation.prefix(limit ?? .max))
  }

  /// Names and sizes of all the pictures.
  var inputs: [PlannedInput] {
    (training + validation).map { PlannedInput(name: $0.name, bytes: $0.bytes ?? -1) }
  }

  /// Chooses a share of the pictures at random; which ones depends on the seed and their names alone.
  ///
  /// - Returns: the chosen ones, as many as the share says to the nearest whole number, and the rest, both in their order.
  private static func share(
    _ percent: Double, of pictures: [PlannedPicture], seed: UInt64
  ) -> (chosen: [PlannedPicture], rest: [PlannedPicture]) {
    if percent >= 100 { return (pictures, []) }
    if percent <= 0 { return ([], pictures) }
    let count = Int((Double(pictures.count) * percent / 100).rounded())
    let keys = pictures.map { picture in
      var random = SplitMix64(seed: seed, name: picture.name)
      return random.next()
    }
    let order = pictures.indices.sorted { (keys[$0], $0) < (keys[$1], $1) }
    let isChosen = order.prefix(count).reduce(
      into: [Bool](repeating: false, count: pictures.count)
    ) { $0[$1] = true }
    let numbered = zip(pictures, isChosen)
    return (numbered.filter(\.1).map(\.0), numbered.filter { !$0.1 }.map(\.0))
  }

  /// - Throws: `.noSamples` where a split that was asked for has none.
  func check(path: String, wantsTraining: Bool, wantsValidation: Bool) throws(IngestError) {
    if wantsTraining, training.isEmpty {
      throw .noSamples(path: path, split: IngestSplit.train.rawValue, reason: nil)
    }
    if wantsValidation, validation.isEmpty {
      throw .noSamples(path: path, split: IngestSplit.validation.rawValue, reason: nil)
    }
  }
}
