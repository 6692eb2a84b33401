import Images
import Shards

/// Which pictures become which rows.
package struct PicturePlan: IngestPlan {
  package let options: PictureIngestOptions
  package let source: any PictureSource
  /// All pictures, those of the training split first.
  package let pictures: [PlannedPicture]
  package let shards: ShardPlan
  package let trainingCount: Int
  package let warnings: [String]

  /// Cuts chosen pictures into shards.
  ///
  /// - Parameters:
  ///   - inputs: files that are read besides the pictures.
  ///   - described: options of the source, as one types them.
  init(
    _ choice: PictureChoice, of source: any PictureSource, options: PictureIngestOptions,
    inputs: [PlannedInput], described: [String: String], warnings: [String]
  ) {
    self.options = options
    self.source = source
    pictures = choice.training + choice.validation
    trainingCount = choice.training.count
    self.warnings = warnings
    shards = ShardPlan(
      shards: Self.cut(
        name: options.name, training: choice.training.count, all: pictures.count,
        shardSize: options.picturesPerShard),
      inputs: inputs + pictures.map { PlannedInput(name: $0.name, bytes: $0.bytes ?? -1) },
      options: options.described.merging(described) { $1 },
      rowsPerSample: options.rowsPerPicture)
  }

  package var sampleCount: Int { pictures.count }

  package var compression: ShardCompression { options.compression }

  package var plainBytes: Int {
    let contents = source.contents
    let values = 3 + (contents.segmentation ? 1 : 0) + (contents.depth ? 2 : 0)
    return pictures.count * options.rowsPerPicture * options.storedSide * options.storedSide
      * values
  }

  package var summary: String {
    let side = options.storedSide
    return
      "\(trainingCount) pictures for training, \(pictures.count - trainingCount) for validation; "
      + "\(shards.shards.count) shard\(shards.shards.count == 1 ? "" : "s") of \(side)x\(side) pictures"
      + (options.crops > 0 ? ", \(options.crops) of each" : "")
  }

  package func header(of split: IngestSplit, toolVersion: String) -> ImageShardHeader {
    ImageShardHeader(
      height: options.storedSide, width: options.storedSide, source: source.corpus,
      split: split.rawValue,
      preprocessing: PicturePreprocessing(options, remarks: source.remarks).json,
      toolVersion: toolVersion, hasSegmentation: source.contents.segmentation,
      hasDepth: source.contents.depth)
  }

  package func read(_ sample: Int, encoder: ImageRowEncoder) -> SampleOutcome<PictureLabels> {
    let planned = pictures[sample]
    let found: SourcePicture
    do throws(PictureFault) {
      found = try source.read(planned)
    } catch {
      return .skipped(SkippedSample(name: planned.name, reason: "\(error)"))
    }
    let size = (width: found.image.width, height: found.image.height)
    let windows = PictureWindows(of: planned, size: size, options: options)
    let rows = windows.geometries.enumerated().map { crop, geometry in
      let labels = PictureLabels(of: found, crop: crop, geometry: geometry)
      let row = encoder.encode(
        found.image.fitted(geometry, filter: options.filter).pixels,
        segmentation: found.labels?.fitted(geometry).values,
        depth: found.depth?.fitted(geometry).stored,
        id: planned.id | Int64(crop) << 48, name: planned.name)
      return (row: row, labels: labels)
    }
    return .rows(rows, faults: found.faults)
  }

  package func setLabels(_ labels: [PictureLabels], of writer: ImageShardWriter) {
    for (name, column) in labels.columns { writer.setLabels(name, column) }
    if options.crops > 0 { writer.setLabels("crop", .int32(labels.map { Int32($0.crop) })) }
    let contents = source.contents
    if contents.captions { writer.setCaptions(labels.map(\.captions)) }
    if contents.objects {
      writer.setObjects(labels.map(\.objects))
      writer.setLabels("category", .int32(labels.map(\.mainCategory)))
    }
    if let categories = contents.categories { writer.setCategories(categories) }
  }
}
