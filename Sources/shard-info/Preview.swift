import Images
import RowMaps
import Shards

/// Rows of shards as one image.
struct Preview {
  private let images: [RGBImage]

  /// Takes rows that are evenly spaced over all the shards.
  init(of paths: [String], rows: Int) throws(ShardError) {
    var starts = [0]
    for path in paths { starts.append(starts[starts.count - 1] + (try ShardContents(path).count)) }
    let total = starts[starts.count - 1]
    guard total > 0 else { throw .noRows(paths: paths) }
    let chosen = evenRows(rows, of: total)
    var images: [RGBImage] = []
    for (shard, path) in paths.enumerated() {
      let local = chosen.filter { starts[shard]..<starts[shard + 1] ~= $0 }.map {
        $0 - starts[shard]
      }
      if !local.isEmpty { images += try Self.images(of: path, rows: local) }
    }
    self.images = images
  }

  /// All of them on one sheet, as square as the count allows.
  func rendered() -> RGBImage {
    let columns = Int(Double(images.count).squareRoot().rounded(.up))
    return ContactSheet(images, columns: columns).rendered()
  }

  private static func images(of path: String, rows: [Int]) throws(ShardError) -> [RGBImage] {
    switch try ShardContents(path).kind {
    case .images:
      return try images(of: try ImageShardReader(path), rows: rows)
    case .codes:
      let reader = try CodeShardReader(path)
      var images: [RGBImage] = []
      for row in rows {
        let colors = try reader.codes(row).map { RGBColor(label: Int($0)) }
        images.append(
          RGBImage(
            width: reader.header.grid.width, height: reader.header.grid.height,
            pixels: colors.flatMap { [$0.red, $0.green, $0.blue] }))
      }
      return images
    }
  }

  /// Images as they are; where they have label maps, depth maps, captions or objects, with these
  /// and their names.
  private static func images(
    of reader: ImageShardReader, rows: [Int]
  ) throws(ShardError) -> [RGBImage] {
    let header = reader.header
    let captions = try reader.contents.captions
    let objects = try reader.contents.objects
    let maps = header.maps.filter { $0 != .palette }  // the image itself
    let isPlain = maps.isEmpty && captions == nil && objects == nil
    let rowNames = try reader.contents.names
    let categories = try reader.contents.categories ?? []
    let names = Dictionary(categories.map { ($0.id, $0.name) }) { first, _ in first }
    var images: [RGBImage] = []
    var entries: [PreviewEntry] = []
    for row in rows {
      let image = RGBImage(
        width: header.width, height: header.height, pixels: try reader.pixels(row))
      if isPlain {
        images.append(image)
        continue
      }
      var values: [(map: RowMap, values: RowValues)] = []
      for map in maps { values.append((map, try reader.row(row, map))) }
      entries.append(
        PreviewEntry(
          name: rowNames[row], image: image, maps: values, captions: captions?[row] ?? [],
          objects: objects?[row] ?? [], names: names))
    }
    let lines = entries.map(\.lineCount).max() ?? 0
    return images + entries.map { $0.rendered(lineCount: lines) }
  }
}
