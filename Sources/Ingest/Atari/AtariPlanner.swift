import Checksums
import Corpora
import Images
import Shards

/// Reads the texts of a corpus, lists its images, and decides what goes where.
///
/// The plan depends on the corpus and the options alone; images are opened only to learn their size
/// and, with `--drop-duplicates`, to compare each with the one before.
package struct AtariPlanner {
  private let corpus: AtariCorpus
  private let folder: ImageFolder
  private let frames: FrameOptions
  private let recipe: ImageRecipe
  private let rooms: RoomTemplates?
  private let threads: Int
  private let progress: (IngestEvent) throws -> Void

  private var episodes: [PlannedEpisode] = []
  private var states: [AtariStates] = []
  private var samples: [IngestSplit: [PlannedImage]] = [:]
  private var inputs: [PlannedInput] = []
  /// What recordings have behind the end of their rows or images, and how many samples of the split
  /// come before it.
  private var surplus: [(skipped: [SkippedSample], split: IngestSplit, samples: Int)] = []
  private var warnings: [String] = []
  private var duplicates = 0
  /// Samples within which, up to the next one, the action changes.
  private var mixedActions = 0

  /// Plans the shards of a corpus.
  ///
  /// - Parameters:
  ///   - path: the root of a folder in the Grand Challenge layout.
  ///   - progress: told what happens, in the calling thread; what it throws ends the planning.
  /// - Throws: `IngestError`, `AtariCorpusError`, `ImageError`, `RoomTemplateError`, and what
  ///   `progress` throws.
  package static func plan(
    path: String, frames: FrameOptions, recipe: ImageRecipe, shards: ShardOptions, threads: Int,
    policy: ErrorPolicy, progress: (IngestEvent) throws -> Void
  ) throws -> IngestPlan {
    try withoutActuallyEscaping(progress) { progress in
      var planner = try AtariPlanner(path, frames, recipe, threads: threads, progress: progress)
      return try planner.plan(shards, policy: policy)
    }
  }

  private init(
    _ path: String, _ frames: FrameOptions, _ recipe: ImageRecipe, threads: Int,
    progress: @escaping (IngestEvent) throws -> Void
  ) throws {
    rooms = try frames.rooms.map { try RoomTemplates($0) }
    corpus = try AtariCorpus(path: path, game: frames.game, followsLinks: frames.followsLinks)
    folder = try ImageFolder(corpus.root, followsLinks: frames.followsLinks)
    self.frames = frames
    self.recipe = recipe
    self.threads = threads
    self.progress = progress
  }

  private mutating func plan(_ shards: ShardOptions, policy: ErrorPolicy) throws -> IngestPlan {
    let ids = try selectedIDs()
    try progress(.planned(items: 0, of: ids.count))
    for (count, id) in ids.enumerated() {
      try add(id)
      try progress(.planned(items: count + 1, of: ids.count))
    }
    noteIgnored()
    noteMixedActions()
    let plan = try assembled(shards)
    try check(plan, policy: policy)
    return plan
  }

  private var holdout: [Int] { frames.holdout?.ids ?? [] }

  private func selectedIDs() throws -> [Int] {
    let all = Set(corpus.ids + corpus.idsWithoutTrajectory)
    let selected = frames.trajectories.map { Set($0.ids) } ?? all
    let missing = selected.union(holdout).subtracting(all)
    if let unknown = missing.subtracting(frames.mayBeMissing).min() {
      throw AtariCorpusError.noSuchEpisode(
        id: unknown, path: corpus.root, game: corpus.game, found: corpus.ids)
    }
    for id in holdout where !selected.contains(id) && !missing.contains(id) {
      throw IngestError.holdoutNotSelected(id: id)
    }
    return selected.subtracting(missing).sorted()
  }

  private mutating func add(_ id: Int) throws {
    let split: IngestSplit = holdout.contains(id) ? .validation : .train
    let episode: AtariEpisode
    do throws(AtariCorpusError) {
      episode = try corpus.episode(id)
    } catch {
      inputs.append(PlannedInput(name: "\(id)", bytes: 0))
      samples[split, default: []].append(
        PlannedImage(id: 0, name: "\(corpus.game)/\(id)", fault: InvalidImage(error)))
      return
    }
    warnings += episode.warnings
    var selection = FrameSelection(episode.transitions, every: frames.every)
    let names = selection.kept.map { episode.imageName(of: episode.transitions[$0]) }
    if frames.dropsDuplicates {
      let isDuplicate = try findDuplicates(names)
      duplicates += isDuplicate.count { $0 }
      selection.drop(isDuplicate)
    }
    let size = firstReadableSize(names)
    let planned = PlannedEpisode(
      episode: episode, kept: selection.kept, width: size?.width ?? 0, height: size?.height ?? 0)
    inputs.append(PlannedInput(name: "\(id) \(planned.digest)", bytes: planned.kept.count))
    let states = selection.samples(stack: recipe.stack, episode: episodes.count)
    samples[split, default: []] += inOrder(states, of: planned)
    surplus.append((surplus(of: episode), split, samples[split, default: []].count))
    self.states += states
    mixedActions += states.count { planned.changesAction(within: $0) }
    episodes.append(planned)
  }

  private func surplus(of episode: AtariEpisode) -> [SkippedSample] {
    episode.surplus.filter { ($0.frame ?? 0) % frames.every == 0 }.map {
      SkippedSample(
        name: "\(corpus.game)/\(episode.id)/\($0.frame ?? 0)", reason: $0.description)
    }
  }

  /// Good and bad samples of a recording by frame; bad ones whose frame is not known come last.
  private func inOrder(_ states: [AtariStates], of planned: PlannedEpisode) -> [PlannedImage] {
    let episode = planned.episode
    let name = "\(corpus.game)/\(episode.id)"
    let good = states.enumerated().map { index, states in
      let frame = episode.transitions[planned.kept[states.positions.upperBound - 1]].frame
      // The number of a row is trajectory · 2³² + frame, whatever the options.
      return (
        frame: frame,
        sample: PlannedImage(
          id: Int64(episode.id) << 32 | Int64(frame), name: "\(name)/\(frame)",
          index: self.states.count + index)
      )
    }
    let bad = episode.faults.filter { ($0.frame ?? 0) % frames.every == 0 }.map { fault in
      (
        frame: fault.frame ?? .max,
        sample: PlannedImage(
          id: 0, name: fault.frame.map { "\(name)/\($0)" } ?? name,
          fault: InvalidImage(fault.description))
      )
    }
    // Swift's sort keeps the order of equal frames, so the plan is the same every time.
    return (good + bad).sorted { $0.frame < $1.frame }.map(\.sample)
  }

  /// For every image, whether its pixels are those of the one before; one that cannot be read
  /// equals none.
  private func findDuplicates(_ names: [String]) throws -> [Bool] {
    var isDuplicate: [Bool] = []
    var previous: RGBImage?
    let folder = folder
    try Shards.inOrder(count: names.count, threads: threads) { index in
      try? ImageDecoder.decode(try folder.bytes(of: names[index]))
    } consume: { _, image in
      isDuplicate.append(image != nil && image == previous)
      previous = image
      try progress(.compared(images: 1))
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

  /// A sample has one action, the one chosen in its last image.
  private mutating func noteMixedActions() {
    guard mixedActions > 0 else { return }
    warnings.append(
      "\(corpus.root): in \(mixedActions) of \(states.count) samples another action follows before "
        + "the next sample, or precedes in the stack; the column action has that of the last image "
        + "alone, and rewards are summed")
  }

  private func assembled(_ shards: ShardOptions) throws -> IngestPlan {
    var record = IngestRecord()
    frames.note(in: &record, rooms: rooms)
    recipe.note(in: &record)
    let choice = ImageChoice(
      training: samples[.train] ?? [], validation: samples[.validation] ?? [], limit: frames.limit)
    let source = AtariSource(
      game: frames.game, recipe: recipe, rooms: rooms, folder: folder, episodes: episodes,
      samples: states)
    let cut = ImageCut.whole(width: recipe.storedWidth, height: recipe.storedHeight)
    return IngestPlan(
      choice, of: source, cut: cut, shards, name: frames.game, inputs: inputs, record: record,
      warnings: warnings,
      surplus: surplus.filter { $0.samples <= frames.limit ?? .max }.flatMap(\.skipped),
      palette: try recipe.palette.palette(
        of: choice, from: source, cut: cut, threads: threads, progress: progress),
      words: (
        "\(episodes.count) recordings, ", "samples",
        duplicates > 0 ? "; \(duplicates) duplicate frames left out" : ""
      ))
  }

  private func check(_ plan: IngestPlan, policy: ErrorPolicy) throws(IngestError) {
    let faults = plan.samples.compactMap(\.fault).map(\.description)
    for (count, fault) in faults.enumerated() {
      try policy.check(skipped: count + 1, of: plan.inputCount, reason: fault)
    }
    if policy.isChosen, let first = plan.surplus.first {
      try policy.check(
        skipped: faults.count + plan.surplus.count, of: plan.inputCount, reason: first.reason)
    }
    for split in IngestSplit.allCases where split == .train || !holdout.isEmpty {
      guard samples[split]?.contains(where: { $0.fault == nil }) == true else {
        throw .noSamples(path: corpus.root, split: split.rawValue, reason: faults.first)
      }
    }
  }
}

extension AtariEpisode {
  /// Facts about the recording as a whole, one sentence each.
  fileprivate var warnings: [String] {
    var warnings = trajectory.notes.map { "\(trajectoryPath): \($0)" }
    let strangers = screens.ignored.filter { !$0.hasPrefix(".") }
    if let first = strangers.first {
      warnings.append(
        "\(screens.folder): \(strangers.count) names are no images and were ignored, such as \(first)"
      )
    }
    if surplusRows > 0 {
      warnings.append("\(trajectoryPath): \(surplusRows) rows after the last image were skipped")
    }
    if surplusImages > 0 {
      warnings.append(
        "\(screens.folder): \(surplusImages) images after the last row were skipped")
    }
    return warnings
  }
}

extension PlannedEpisode {
  /// Whether the rows of a sample, up to those of the next one, have several actions.
  fileprivate func changesAction(within states: AtariStates) -> Bool {
    let rows = episode.transitions[kept[states.positions.lowerBound]..<states.end]
    return rows.contains { $0.action != rows.first?.action }
  }

  /// SHA-256 of the rows that are used, so that work is continued only on the input that it began
  /// with.
  fileprivate var digest: String {
    var text = "\(episode.imageOffset) \(width)x\(height)\n"
    for index in kept {
      let row = episode.transitions[index]
      text +=
        "\(row.frame) \(row.action.rawValue) \(row.reward) \(row.score) \(row.terminal)\n"
    }
    return Array(text.utf8).withUnsafeBytes { sha256Hex($0) }
  }
}
