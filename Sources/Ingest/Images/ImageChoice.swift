import Shards

/// The images of both splits, chosen by `--percent`, `--holdout` and `--limit`.
struct ImageChoice: Equatable {
  private(set) var training: [PlannedImage]
  private(set) var validation: [PlannedImage]

  /// - Parameters:
  ///   - training: images in their order, of which some may be held out.
  ///   - validation: images that the corpus itself keeps for validation.
  ///   - unread: what is skipped whatever the choice, and stands behind the training images.
  init(
    training: [PlannedImage], validation: [PlannedImage] = [], unread: [PlannedImage] = [],
    options: SquareOptions
  ) {
    let kept = Self.fraction(options.percent, of: training, seed: options.seed).chosen
    let split = Self.fraction(options.holdout, of: kept, seed: ~options.seed)
    let held =
      split.chosen + Self.fraction(options.percent, of: validation, seed: options.seed).chosen
    self.init(training: split.rest, validation: held, limit: options.limit)
    self.training += unread
  }

  /// The first images of each split.
  init(training: [PlannedImage], validation: [PlannedImage], limit: Int?) {
    self.training = Array(training.prefix(limit ?? .max))
    self.validation = Array(validation.prefix(limit ?? .max))
  }

  /// Names and sizes of all the images.
  var inputs: [PlannedInput] {
    (training + validation).map { PlannedInput(name: $0.name, bytes: $0.bytes ?? -1) }
  }

  /// Chooses a fraction of the images at random; which ones depends on the seed and their names
  /// alone.
  ///
  /// - Returns: the chosen ones, as many as the fraction says to the nearest integer, and the rest,
  ///   both in their order.
  private static func fraction(
    _ percent: Double, of images: [PlannedImage], seed: UInt64
  ) -> (chosen: [PlannedImage], rest: [PlannedImage]) {
    if percent >= 100 { return (images, []) }
    if percent <= 0 { return ([], images) }
    let count = Int((Double(images.count) * percent / 100).rounded())
    let keys = images.map { image in
      var random = SplitMix64(seed: seed, name: image.name)
      return random.next()
    }
    let order = images.indices.sorted { (keys[$0], $0) < (keys[$1], $1) }
    let isChosen = order.prefix(count).reduce(
      into: [Bool](repeating: false, count: images.count)
    ) { $0[$1] = true }
    let numbered = zip(images, isChosen)
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
