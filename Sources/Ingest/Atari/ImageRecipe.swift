import ArgumentParser
import Images

/// What happens to the images of game states on their way into a shard: each is fitted to one size,
/// then they are put together.
package struct ImageRecipe: ParsableArguments, Sendable {
  @Option(
    name: .customLong("size"),
    help: ArgumentHelp(
      """
      Size of a game state, pixels: one number for a square, or WxH \
      (default: 208; with --palette 160x208).
      """, valueName: "size"),
    transform: ImageSize.init(argument:))
  package var chosenSize: ImageSize?

  @Option(
    name: .customLong("fit"),
    help: """
      Bring a frame to the size by cutting its sides, by black margins, or by distortion \
      (default: stretch; with --palette crop).
      """)
  package var chosenFit: FitMode?

  @Option(
    name: .customLong("filter"),
    help: """
      How pixels are resampled; area enlarges like nearest and averages when shrinking \
      (default: area; with --palette nearest).
      """)
  package var chosenFilter: ResizeFilter?

  @OptionGroup package var palette: PaletteOptions

  @Option(help: ArgumentHelp("Successive game states in one image.", valueName: "K"))
  package var stack = 1

  @Option(
    name: .customLong("stack-layout"),
    help: "How stacked states stand in the image, the oldest first.")
  package var layout = StackLayout.horizontal

  package init() {}

  /// Of a game state, pixels.
  package var size: ImageSize {
    get { chosenSize ?? ImageSize(width: palette.isWanted ? 160 : 208, height: 208) }
    set { chosenSize = newValue }
  }

  package var fit: FitMode {
    get { chosenFit ?? (palette.isWanted ? .crop : .stretch) }
    set { chosenFit = newValue }
  }

  package var filter: ResizeFilter {
    get { chosenFilter ?? (palette.isWanted ? .nearest : .area) }
    set { chosenFilter = newValue }
  }

  package func validate() throws {
    _ = try palette.filter(chosenFilter)
    guard (1...64).contains(stack) else {
      throw ValidationError("--stack must be in 1...64, got \(stack).")
    }
    guard max(storedWidth, storedHeight) <= ImageSize.most else {
      throw ValidationError(
        "--stack \(stack) of \(size) makes \(storedWidth)x\(storedHeight) pixels, "
          + "at most \(ImageSize.most) a side.")
    }
  }

  func note(in record: inout IngestRecord) {
    record.note("--size", "\(size.width)x\(size.height)")
    record.remark("state_width", size.width)
    record.remark("state_height", size.height)
    record.note("--fit", fit.rawValue, as: "fit")
    record.note("--filter", filter.rawValue, as: "filter")
    record.note("--stack", stack, as: "stack")
    record.note("--stack-layout", layout.rawValue, as: "stack_layout")
  }

  /// Width of a stored image, pixels.
  var storedWidth: Int { size.width * layout.cells(for: stack).columns }

  /// Height of a stored image, pixels.
  var storedHeight: Int { size.height * layout.cells(for: stack).rows }

  /// The stored image.
  ///
  /// - Parameter states: `stack` images of any size, the oldest first.
  /// - Returns: an image of `storedWidth` × `storedHeight`.
  package func image(of states: [RGBImage]) -> RGBImage {
    precondition(states.count == stack, "\(states.count) states for a stack of \(stack)")
    let fitted = states.map {
      $0.fitted(width: size.width, height: size.height, mode: fit, filter: filter)
    }
    if stack == 1 { return fitted[0] }
    let columns = layout.cells(for: stack).columns
    var image = RGBImage(width: storedWidth, height: storedHeight, filledWith: .black)
    for (cell, state) in fitted.enumerated() {
      image.draw(state, x: cell % columns * size.width, y: cell / columns * size.height)
    }
    return image
  }
}

extension FitMode: ExpressibleByArgument {}
extension StackLayout: ExpressibleByArgument {}
