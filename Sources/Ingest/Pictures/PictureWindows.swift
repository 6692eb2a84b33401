import Images

/// Which parts of a picture become rows: its middle, or random squares.
struct PictureWindows {
  /// One for each row.
  let geometries: [FitGeometry]

  /// - Parameter size: of the whole picture, pixels.
  init(
    of picture: PlannedPicture, size: (width: Int, height: Int), options: PictureIngestOptions
  ) {
    let whole = FitGeometry(
      from: size, to: (options.scaledSide, options.scaledSide), mode: .crop)
    guard options.crops > 0 else {
      geometries = [whole]
      return
    }
    var random = SplitMix64(seed: options.seed, name: picture.name)
    let side = options.size
    geometries = (0..<options.crops).map { _ in
      whole.window(
        PixelRect(
          x: random.index(below: whole.scaledWidth - side + 1),
          y: random.index(below: whole.scaledHeight - side + 1), width: side, height: side))
    }
  }
}
