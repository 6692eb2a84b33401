import Images
import RowMaps
import Shards

/// Everything that will be read and written, fixed before the first shard: which samples, in which
/// order, in which shard.
package struct IngestPlan: Sendable {
  let source: any ImageSource
  /// All samples, those of the training split first.
  package let samples: [PlannedImage]
  /// Samples of the training split.
  package let trainingCount: Int
  /// The files, and what a folder with earlier work must have been made from.
  package let shards: ShardPlan
  package let compression: ShardCompression
  /// One sentence for people: how much there is of what.
  package let summary: String
  /// Warnings of the input that cost nothing.
  package let warnings: [String]
  /// What was left out of the inputs, in words for the report.
  package let leftOut: [String]
  /// Images and rows that can be no samples; skipped as samples are, but counted against the limit
  /// only where somebody asked for one.
  package let surplus: [SkippedSample]
  private let cut: ImageCut
  private let preprocessing: String
  /// The palette of all rows; nil where they have no palette maps.
  private let palette: Palette?

  /// Cuts chosen samples into shards.
  ///
  /// - Parameters:
  ///   - name: first part of the shards' names unless the options have one.
  ///   - inputs: all that is read.
  ///   - record: the options of the source.
  ///   - palette: of all rows, where they are to have palette maps.
  ///   - words: of the summary: what comes before the count of samples, what they are called, what
  ///     comes last.
  init(
    _ choice: ImageChoice, of source: any ImageSource, cut: ImageCut, _ options: ShardOptions,
    name: String, inputs: [PlannedInput], record: IngestRecord, warnings: [String],
    leftOut: [String] = [], surplus: [SkippedSample] = [], palette: Palette? = nil,
    words: (lead: String, samples: String, last: String)
  ) {
    let (name, training) = (options.name ?? name, choice.training.count)
    var record = record
    self.palette = palette
    // Only where it is set: folders of versions without the option are continued.
    if let palette { record.note("--palette", palette) }
    options.note(in: &record, name: name)
    samples = choice.training + choice.validation
    trainingCount = training
    let size = max(1, options.shardSize / cut.rowsPerSample)
    shards = ShardPlan(
      shards: PlannedShard.cut(
        series: IngestSplit.train.series(name), samples: 0..<training, size: size)
        + PlannedShard.cut(
          series: IngestSplit.validation.series(name), samples: training..<samples.count,
          size: size),
      inputs: inputs, options: record.options, former: record.formerOptions,
      rowsPerSample: cut.rowsPerSample)
    summary =
      "\(words.lead)\(training) \(words.samples) for training, "
      + "\(samples.count - training) for validation; "
      + "\(shards.shards.count) shard\(shards.shards.count == 1 ? "" : "s") of "
      + "\(cut.width)x\(cut.height) images\(words.last)"
    preprocessing = record.preprocessing
    compression = options.compression
    self.source = source
    self.cut = cut
    self.warnings = warnings
    self.leftOut = leftOut
    self.surplus = surplus
  }

  /// Cuts chosen images into shards of squares.
  init(
    _ choice: ImageChoice, _ squares: SquareOptions, _ shards: ShardOptions,
    of source: any ImageSource, name: String, inputs: [PlannedInput], record: IngestRecord,
    warnings: [String], leftOut: [String] = [], palette: Palette? = nil
  ) {
    var record = record
    squares.note(in: &record)
    self.init(
      choice, of: source, cut: .squares(squares), shards, name: name, inputs: inputs,
      record: record, warnings: warnings, leftOut: leftOut, palette: palette,
      words: ("", "images", squares.crops > 0 ? ", \(squares.crops) of each" : ""))
  }

  /// What is written or skipped.
  package var inputCount: Int { samples.count + surplus.count }

  /// Bytes of all rows before compression.
  package var plainBytes: Int {
    let bytes = ([.images] + maps).reduce(0) { $0 + $1.bytesPerPixel }
    let good = samples.count { $0.fault == nil }
    return good * cut.rowsPerSample * cut.width * cut.height * bytes
  }

  /// The maps of every row.
  private var maps: [RowMap] { source.contents.maps + (palette == nil ? [] : [.palette]) }

  /// The split that a shard belongs to.
  func split(of shard: PlannedShard) -> IngestSplit {
    shard.samples.lowerBound < trainingCount ? .train : .validation
  }

  /// What a shard of a split says about itself.
  func header(of split: IngestSplit, toolVersion: String) -> ImageShardHeader {
    ImageShardHeader(
      height: cut.height, width: cut.width, source: source.corpus, split: split.rawValue,
      preprocessing: preprocessing, toolVersion: toolVersion, maps: maps, palette: palette)
  }

  /// Reads a sample and makes its rows; any thread may do it.
  func read(_ sample: Int, encoder: ImageRowEncoder) -> SampleOutcome {
    let planned = samples[sample]
    do throws(InvalidImage) {
      if let fault = planned.fault { throw fault }
      let found = try source.read(planned, needs: cut.needs(of: planned))
      var rows: [(row: EncodedImageRow, labels: RowLabels)] = []
      for (number, row) in cut.rows(of: found, planned).enumerated() {
        var maps = row.maps
        maps[.palette] = try palette?.map(of: row.image)
        let encoded = encoder.encode(
          row.image.pixels, maps: maps, id: planned.id | Int64(number) << 48, name: planned.name)
        rows.append((row: encoded, labels: row.labels))
      }
      return .rows(rows, faults: found.faults)
    } catch {
      if let shortage = error.shortage { return .failed(shortage) }
      return .skipped(SkippedSample(name: planned.name, reason: "\(error)"))
    }
  }

  /// Gives the rows of a shard their labels.
  ///
  /// - Parameter labels: one for each row.
  func setLabels(_ labels: [RowLabels], of writer: ImageShardWriter) {
    let contents = source.contents
    for (index, column) in (contents.columns + cut.columns).enumerated() {
      writer.setLabels(column.name, ShardColumn(labels.map { $0.values[index] }, as: column.type))
    }
    if contents.captions { writer.setCaptions(labels.map(\.captions)) }
    if contents.objects {
      writer.setObjects(labels.map(\.objects))
      writer.setLabels("category", .int32(labels.map { $0.mainCategory ?? contents.noCategory }))
    }
    if let categories = contents.categories { writer.setCategories(categories) }
  }
}

/// What became of one sample.
enum SampleOutcome: Sendable {
  /// Its rows, `ShardPlan.rowsPerSample` of them; `faults` are parts of it that had to be left out.
  case rows([(row: EncodedImageRow, labels: RowLabels)], faults: [String])
  case skipped(SkippedSample)
  /// What ends the run: the next sample would not be read either.
  case failed(ImageError)
}

/// Which rows a model may learn from.
package enum IngestSplit: String, Codable, CaseIterable, Sendable {
  case train, validation

  /// What the names of the shards begin with: `revenge`, `revenge-validation`.
  func series(_ name: String) -> String {
    switch self {
    case .train: name
    case .validation: "\(name)-validation"
    }
  }
}
