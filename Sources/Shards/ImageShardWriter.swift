import RowMaps

/// Writes one image shard: rows in order, then labels, then `finish()`.
///
/// ```swift
/// let writer = try ImageShardWriter("revenge-train-00000.h5", header: header, compression: .auto)
/// try inOrder(count: frames.count, threads: 2) { index in
///   writer.encoder.encode(try decode(frames[index]), id: Int64(index), name: frames[index].name)
/// } consume: { _, row in
///   try writer.append(row)
/// }
/// writer.setLabels("action", .int32(actions))
/// let shard = try writer.finish()
/// ```
///
/// The file has a temporary name until `finish()` returns; without it nothing is left. Its bytes
/// depend on the rows and their order alone. A writer belongs to one thread; its `encoder` to all.
package final class ImageShardWriter {
  package let header: ImageShardHeader
  /// Does the costly part of a row, in any thread.
  package let encoder: ImageRowEncoder

  private let shard: UnfinishedShard
  /// Rows that wait until `auto` has seen enough of them; nil once it is decided.
  private var undecided: [EncodedImageRow]?
  /// Whether images are compressed; nil until `auto` has decided.
  package private(set) var compressesImages: Bool?
  private var images: HDF5OutputRows?
  private var maps: [MapOutput] = []

  /// - Parameter compressesImages: what `auto` decided for an earlier shard of the same run.
  /// - Throws: `cannotCreate`, `writeFailed`.
  package init(
    _ path: String, header: ImageShardHeader, compression: ShardCompression,
    compressesImages: Bool? = nil
  ) throws(ShardError) {
    precondition(header.height > 0 && header.width > 0, "\(header.height)×\(header.width) pixels")
    precondition(header.maps.contains(.palette) == (header.palette != nil), "maps and a palette")
    self.header = header
    encoder = ImageRowEncoder(header, compression: compression)
    shard = try UnfinishedShard(path, kind: .images, toolVersion: header.toolVersion)
    try shard.file.setAttribute(ShardFormat.Attribute.source, to: header.source)
    try shard.file.setAttribute(ShardFormat.Attribute.split, to: header.split)
    try shard.file.setAttribute(ShardFormat.Attribute.preprocessing, to: header.preprocessing)
    switch compression {
    case .none: try createDatasets(isCompressed: false)
    case .level: try createDatasets(isCompressed: true)
    case .auto:
      if let compressesImages {
        if !compressesImages { encoder.stopCompressing() }
        try createDatasets(isCompressed: compressesImages)
      } else {
        undecided = []
      }
    }
  }

  deinit {
    images = nil  // a file with an open dataset does not close
    maps = []
  }

  /// Rows so far.
  package var count: Int { shard.count + (undecided?.count ?? 0) }

  /// Adds a row that `encoder` has made.
  package func append(_ row: EncodedImageRow) throws(ShardError) {
    guard undecided != nil else {
      try write(row)
      return
    }
    undecided?.append(row)
    if count == ShardCompression.sampleRows { try decide() }
  }

  /// Adds a row.
  ///
  /// - Parameter pixels: `[H, W, 3]`.
  package func append(_ pixels: [UInt8], id: Int64, name: String) throws(ShardError) {
    try append(encoder.encode(pixels, id: id, name: name))
  }

  /// Has `auto` decide by the rows so far, if there are any.
  package func settleCompression() throws(ShardError) {
    if undecided?.isEmpty == false { try decide() }
  }

  /// Gives every row a label; `column` has as many values as there are rows at the end.
  package func setLabels(_ name: String, _ column: ShardColumn) {
    shard.setLabels(name, column)
  }

  /// Gives every row its captions.
  package func setCaptions(_ captions: [[String]]) { shard.captions = captions }

  /// Gives every row its objects.
  package func setObjects(_ objects: [[ShardObject]]) { shard.objects = objects }

  /// Says what the numbers of objects and label maps mean.
  package func setCategories(_ categories: [ShardCategory]) { shard.categories = categories }

  /// Completes the shard, checks it by reading every row back, and publishes it.
  @discardableResult
  package func finish() throws(ShardError) -> FinishedShard {
    if undecided != nil { try decide() }
    try images?.flush()
    images = nil
    for map in maps { try map.finish(in: shard.file) }
    maps = []
    return try shard.publish(open: ImageShardReader.init)
  }

  private func decide() throws(ShardError) {
    let rows = undecided ?? []
    undecided = nil
    let plain = rows.reduce(0) { $0 + $1.pixels.plain.count }
    let packed = rows.reduce(0) { $0 + ($1.pixels.deflated ?? $1.pixels.plain).count }
    let isWorthwhile = Double(packed) < ShardCompression.worthwhileFraction * Double(plain)
    if !isWorthwhile { encoder.stopCompressing() }
    try createDatasets(isCompressed: isWorthwhile)
    for row in rows { try write(row) }
  }

  /// Images and maps in this order, whenever it is decided how images are stored: a shard that is
  /// made again has the same bytes.
  private func createDatasets(isCompressed: Bool) throws(ShardError) {
    compressesImages = isCompressed
    images = try shard.file.chunkedRows(
      named: RowMap.images.dataset,
      rowShape: RowMap.images.rowShape(height: header.height, width: header.width),
      level: isCompressed ? encoder.compression.level : nil)
    for map in header.maps {
      maps.append(try MapOutput(map, in: shard.file, header, compression: encoder.compression))
    }
    if let palette = header.palette { try palette.write(to: shard.file) }
  }

  private func write(_ row: EncodedImageRow) throws(ShardError) {
    let isCompressed = compressesImages == true
    if isCompressed, let deflated = row.pixels.deflated {
      try images?.append(deflated, isFiltered: true)
    } else {
      try images?.append(row.pixels.plain, isFiltered: !isCompressed)
    }
    for (map, values) in zip(maps, row.maps) { try map.append(values) }
    shard.append(id: row.id, name: row.name, checksum: row.pixels.checksum)
  }
}
