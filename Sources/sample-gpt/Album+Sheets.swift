// Sheets and moving pictures of samples.
import Images
import Training

extension Album {
  private static let frames = 48

  /// The objects of the first samples' conditions; nil where there are none.
  func objects(count: Int) -> ContactSheet? {
    let plots = (0..<min(count, Self.columns)).compactMap {
      starts[(options.first + $0) % starts.count].objects
    }
    guard !plots.isEmpty else { return nil }
    return ContactSheet(plots, columns: Int(Double(plots.count).squareRoot().rounded(.up)))
  }

  /// All pictures, or with several settings or given pictures a row for each, a column for each sample.
  func sheet(_ rows: [[RGBImage]], count: Int) -> ContactSheet {
    let hasPictures = starts.contains { $0.picture != nil }
    guard rows.count > 1 || hasPictures else {
      let columns = Int(Double(rows[0].count).squareRoot().rounded(.up))
      return ContactSheet(rows[0], columns: columns)
    }
    let columns = min(Self.columns, rows[0].count)
    let numbers = (0..<columns).map { options.first + $0 }
    var all = rows.map { Array($0.prefix(columns)) }
    var labels = options.settings.map(\.label)
    if hasPictures {
      let picture = all[0][0]
      let blank = RGBImage(width: picture.width, height: picture.height, filledWith: .black)
      all.insert(numbers.map { starts[$0 % starts.count].picture ?? blank }, at: 0)
      labels.insert("given", at: 0)
    }
    return ContactSheet(
      rows: all, columnHeaders: numbers.map { "\($0)" }, rowLabels: labels)
  }

  /// The first pictures filling up in the order in which they were drawn.
  func animate(_ codes: [[Int32]], to path: String) throws {
    let order = sampler.drawingOrder.filter { isGiven?[$0] != true }
    let steps = max(1, min(Self.frames, order.count))
    let factor = sampler.vqgan.config.downsampling
    let frames = (0...steps).map { step -> RGBImage in
      let missing = order[(order.count * step / steps)...]
      let pictures = codes.map { codes -> RGBImage in
        var shown = codes
        for cell in missing { shown[cell] = 0 }
        var picture = sampler.picture(shown)
        for cell in missing {
          picture.fill(
            PixelRect(
              x: cell % sampler.grid.width * factor, y: cell / sampler.grid.width * factor,
              width: factor, height: factor), with: .grey(96))
        }
        return picture
      }
      return ContactSheet(pictures, columns: Self.moving).rendered()
    }
    try AnimatedPNG.write(frames, milliseconds: 80, to: path)
  }
}
