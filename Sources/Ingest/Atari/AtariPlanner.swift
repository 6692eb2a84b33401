import Checksums
import Corpora
import Images
import Shards

/// Reads the texts of a corpus, lists its pictures, and decides what goes where.
///
/// The plan depends on the corpus and the options alone; pictures are opened only to learn their size and, with
/// `--drop-duplicates`, to compare each with the one before.
package struct AtariPlanner {
  private let corpus: AtariCorpus
  private let folder: PictureFolder
  private let options: AtariIngestOptions
  private let threads: Int
  private let progress: (IngestEvent) throws -> Void

  private var episodes: [PlannedEpisode] = []
  private var samples: [IngestSplit: [AtariSample]] = [:]
  private var inputs: [PlannedInput] = []
  private var warnings: [String] = []
  private var duplicates = 0

  /// Plans the shards of a corpus.
  ///
  /// - Parameters:
  ///   - path: the root of a folder in the Grand Challenge layout.
  ///   - progress: told what happens, in the calling thread; what it throws ends the planning.
  /// - Throws: `IngestError`, and what `progress` throws.
  package static func plan(
    path: String, options: AtariIngestOptions, threads: Int, policy: ErrorPolicy,
    progress: (IngestEvent) throws -> Void
  ) throws -> AtariPlan {
    try withoutActuallyEscaping(progress) { progress in
      let (corpus, folder) = try opened(path: path, options)
      var planner = AtariPlanner(
        corpus: corpus, folder: folder, options: options, threads: threads, progress: progress)
      return try planner.plan(policy: policy)
    }
  }

  private init(
    corpus: AtariCorpus, folder: PictureFolder, options: AtariIngestOptions, threads: Int,
    progress: @escaping (IngestEvent) throws -> Void
  ) {
    self.corpus = corpus
    self.folder = folder
    self.options = options
    self.threads = threads
    self.progress = progress
  }

  private static func opened(
    path: String, _ options: AtariIngestOptions
  ) throws(IngestError) -> (AtariCorpus, PictureFolder) {
    let corpus: AtariCorpus
    do throws(AtariCorpusError) {
      corpus = try AtariCorpus(
        path: path, game: options.game, followsLinks: options.followsLinks)
    } catch {
      throw .corpus(error)
    }
    do throws(ImageError) {
      return (corpus, try PictureFolder(corpus.root, followsLinks: options.followsLinks))
    } catch {
      throw .image(error)
    }
  }

  private mutating func plan(policy: ErrorPolicy) throws -> AtariPlan {
    let ids = try selectedIDs()
    try progress(.planned(items: 0, of: ids.count))
    for (count, id) in ids.enumerated() {
      try add(id)
      try progress(.planned(items: count + 1, of: ids.count))
    }
    noteIgnored()
    let plan = assembled()
    try check(plan, policy: policy)
    return plan
  }

  private func selectedIDs() throws(IngestError) -> [Int] {
    let all = Set(corpus.ids + corpus.idsWithoutTrajectory)
    let selected = options.trajectories.map { Set($0) } ?? all
    let missing = selected.union(options.holdout).subtracting(all)
    if let unknown = missing.subtracting(options.mayBeMissing).min() {
      throw .corpus(
        .noSuchEpisode(id: unknown, path: corpus.root, game: corpus.game, found: corpus.ids))
    }
    for id in options.holdout where !selected.contains(id) && !missing.contains(id) {
      throw .holdoutNotSelected(id: id)
    }
    return selected.subtracting(missing).sorted()
  }

  private mutating func add(_ id: Int) throws {
    let split: IngestSplit = options.holdout.contains(id) ? .validation : .train
    let episode: AtariEpisode
    do throws(AtariCorpusError) {
      episode = try corpus.episode(id)
    } catch {
      inputs.append(PlannedInput(name: "\(id)", bytes: 0))
      samples[split, default: []].append(.bad(name: "\(corpus.game)/\(id)", reason: "\(error)"))
      return
    }
    warnings += episode.oddities
    var selection = FrameSelection(episode.transitions, every: options.every)
    let names = selection.kept.map { episode.pictureName(of: episode.transitions[$0]) }
    if options.dropsDuplicates {
      let isDuplicate = try findDuplicates(names)
      duplicates += isDuplicate.count { $0 }
      selection.drop(isDuplicate)
    }
    let size = firstReadableSize(names)
    let planned = PlannedEpisode(
      episode: episode, kept: selection.kept, width: size?.width ?? 0, height: size?.height ?? 0)
    inputs.append(PlannedInput(name: "\(id) \(planned.digest)", bytes: planned.kept.count))
    let states = selection.samples(stack: options.recipe.stack, episode: episodes.count)
    samples[split, default: []] += inOrder(states, of: planned)
    episodes.append(planned)
  }

  /// Good and bad samples of a recording by frame; bad ones whose frame is not known come last.
  private func inOrder(_ states: [AtariStates], of planned: PlannedEpisode) -> [AtariSample] {
    let episode = planned.episode
    let good = states.map { states in
      let last = planned.kept[states.places.upperBound - 1]
      return (frame: episode.transitions[last].frame, sample: AtariSample.states(states))
    }
    let bad = episode.faults.filter { ($0.frame ?? 0) % options.every == 0 }.map { fault in
      let name = fault.frame.map { "\(corpus.game)/\(episode.id)/\($0)" }
      return (
        frame: fault.frame ?? .max,
        sample: AtariSample.bad(
          name: name ?? "\(corpus.game)/\(episode.id)", reason: fault.description)
      )
    }
    // Swift's sort keeps the order of equal frames, so the plan is the same every time.
    return (good + bad).sorted { $0.frame < $1.frame }.map(\.sample)
  }

  /// For every picture, whether its pixels are those of the one before; one that cannot be read equals none.
  private func findDuplicates(_ names: [String]) throws -> [Bool] {
    var isDuplicate: [Bool] = []
    var previous: RGBImage?
    let folder = folder
    try Shards.inOrder(count: names.count, threads: threads) { index in
      try? ImageDecoder.decode(try folder.bytes(of: names[index]))
    } consume: { _, picture in
      isDuplicate.append(picture != nil && picture == previous)
      previous = picture
      try progress(.compared(pictures: 1))
    }
    return isDuplicate
  }

  private func firstReadableSize(_ names: [String]) -> (width: Int, height: Int)? {
    for name in names {
      if let header = try? ImageDecoder.header(try folder.bytes(of: name)) {
        return (header.width, header.height)
      }
    }
    return nil
  }

  private mutating func noteIgnored() {
    let ignored = corpus.ignored.filter { !$0.contains("/.") }
    guard let first = ignored.first else { return }
    warnings.append(
      "\(corpus.root): \(ignored.count) names are no recordings and were ignored, such as \(first)")
  }

  private func assembled() -> AtariPlan {
    func limited(_ split: IngestSplit) -> [AtariSample] {
      Array((samples[split] ?? []).prefix(options.limit ?? .max))
    }
    let training = limited(.train)
    let all = training + limited(.validation)
    let shards = AtariPlan.cut(
      name: options.name, training: training.count, all: all.count, shardSize: options.shardSize)
    return AtariPlan(
      options: options, folder: folder, episodes: episodes, samples: all,
      shards: ShardPlan(shards: shards, inputs: inputs, options: options.described),
      trainingCount: training.count, duplicates: duplicates, warnings: warnings)
  }

  private func check(_ plan: AtariPlan, policy: ErrorPolicy) throws(IngestError) {
    var bad = 0
    for case .bad(_, let reason) in plan.samples {
      bad += 1
      try policy.check(skipped: bad, of: plan.samples.count, reason: reason)
    }
    for split in IngestSplit.allCases where split == .train || !options.holdout.isEmpty {
      guard samples[split]?.contains(where: { $0.states != nil }) == true else {
        let reason = plan.samples.lazy.compactMap { sample -> String? in
          if case .bad(_, let reason) = sample { reason } else { nil }
        }.first
        throw .noSamples(path: corpus.root, split: split.rawValue, reason: reason)
      }
    }
  }
}

extension AtariEpisode {
  /// Facts about the recording that cost no row, one sentence each.
  fileprivate var oddities: [String] {
    var oddities = trajectory.notes.map { "\(trajectoryPath): \($0)" }
    let strangers = screens.ignored.filter { !$0.hasPrefix(".") }
    if let first = strangers.first {
      oddities.append(
        "\(screens.folder): \(strangers.count) names are no pictures and were ignored, such as \(first)"
      )
    }
    if surplusRows > 0 {
      oddities.append("\(trajectoryPath): \(surplusRows) rows after the last picture were left out")
    }
    if surplusPictures > 0 {
      oddities.append(
        "\(screens.folder): \(surplusPictures) pictures after the last row were left out")
    }
    return oddities
  }
}

extension PlannedEpisode {
  /// SHA-256 of the rows that are used, so that work is continued only on the input that it began with.
  fileprivate var digest: String {
    var text = "\(episode.pictureOffset) \(width)x\(height)\n"
    for index in kept {
      let row = episode.transitions[index]
      text +=
        "\(row.frame) \(row.action.rawValue) \(row.reward) \(row.score) \(row.terminal)\n"
    }
    return Array(text.utf8).withUnsafeBytes { sha256Hex($0) }
  }
}
