import Images
import RowMaps
import Shards

/// How an image becomes rows of one size.
enum ImageCut: Sendable {
  /// It has this size already and is one row.
  case whole(width: Int, height: Int)
  /// Its middle, or random squares of it.
  case squares(SquareOptions)

  /// A row before compression.
  struct Row {
    let image: RGBImage
    let maps: [RowMap: RowValues]
    let labels: RowLabels
  }

  /// Size of a row, pixels.
  var width: Int {
    switch self {
    case .whole(let width, _): width
    case .squares(let options): options.storedSide
    }
  }

  var height: Int {
    switch self {
    case .whole(_, let height): height
    case .squares(let options): options.storedSide
    }
  }

  var rowsPerSample: Int {
    switch self {
    case .whole: 1
    case .squares(let options): max(1, options.crops)
    }
  }

  /// Labels that say where a row lies in its image.
  var columns: [LabelColumn] {
    guard case .squares(let options) = self else { return [] }
    let names = [
      "source_width", "source_height", "scaled_width", "scaled_height", "crop_x", "crop_y",
    ]
    return (names + (options.crops > 0 ? ["crop"] : [])).map { ($0, .int32) }
  }

  /// What the rows of an image are made of.
  func needs(of planned: PlannedImage) -> ImageNeeds {
    guard case .squares(let options) = self else { return .everything }
    return ImageNeeds(filter: options.filter, mayBeReduced: options.fastDecode) { width, height in
      Self.windows(of: planned, size: (width, height), options)
    }
  }

  /// The rows of an image.
  func rows(of source: SourceImage, _ planned: PlannedImage) -> [Row] {
    switch self {
    case .whole:
      let labels = RowLabels(values: source.labels, captions: source.captions, objects: [])
      return [
        Row(image: source.image.pixels, maps: source.maps.mapValues(\.row), labels: labels)
      ]
    case .squares(let options):
      let image = source.image
      let windows = Self.windows(of: planned, size: (image.width, image.height), options)
      return windows.enumerated().map { number, window in
        var position = [
          image.width, image.height, window.scaledWidth, window.scaledHeight, -window.x, -window.y,
        ]
        if options.crops > 0 { position.append(number) }
        return Row(
          image: image.fitted(window, filter: options.filter),
          maps: source.maps.mapValues { $0.fitted(window).row },
          labels: RowLabels(
            values: source.labels + position.map(Int64.init), captions: source.captions,
            objects: source.objects.compactMap { $0.placed(in: window) }))
      }
    }
  }

  /// Where the squares lie.
  private static func windows(
    of image: PlannedImage, size: (width: Int, height: Int), _ options: SquareOptions
  ) -> [FitGeometry] {
    let whole = FitGeometry(
      from: size, to: (options.scaledSide, options.scaledSide), mode: .crop)
    guard options.crops > 0 else { return [whole] }
    var random = SplitMix64(seed: options.seed, name: image.name)
    let side = options.size
    return (0..<options.crops).map { _ in
      whole.window(
        PixelRect(
          x: random.index(below: whole.scaledWidth - side + 1),
          y: random.index(below: whole.scaledHeight - side + 1), width: side, height: side))
    }
  }
}
