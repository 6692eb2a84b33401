import ArgumentParser
import CommandSupport
import Images
import Ingest

/// What happens to the pictures.
struct PictureOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Size of a game state, pixels: one number for a square, or WxH.", valueName: "size"))
  var size = PictureSize(width: 208, height: 208)

  @Option(
    help: "Bring a frame to the size by cutting its sides, by black margins, or by distortion.")
  var fit = FitMode.stretch

  @Option(help: "How pixels are resampled; area enlarges like nearest and averages when shrinking.")
  var filter = ResizeFilter.area

  @Option(help: ArgumentHelp("Successive game states in one picture.", valueName: "K"))
  var stack = 1

  @Option(help: "How stacked states stand in the picture, the oldest first.")
  var stackLayout = StackLayout.horizontal

  func validate() throws {
    guard (1...64).contains(stack) else {
      throw ValidationError("--stack must be in 1...64, got \(stack).")
    }
    guard max(recipe.storedWidth, recipe.storedHeight) <= PictureSize.most else {
      throw ValidationError(
        "--stack \(stack) of \(size) makes \(recipe.storedWidth)x\(recipe.storedHeight) pixels, "
          + "at most \(PictureSize.most) a side.")
    }
  }

  var recipe: PictureRecipe {
    PictureRecipe(
      width: size.width, height: size.height, fit: fit, filter: filter, stack: stack,
      layout: stackLayout)
  }
}

/// A size in pixels, written as `208` or `160x208`.
struct PictureSize: ExpressibleByArgument, Equatable, CustomStringConvertible {
  /// The longest side that is stored, pixels.
  static let most = 4096

  let width: Int
  let height: Int

  init(width: Int, height: Int) {
    self.width = width
    self.height = height
  }

  init?(argument: String) {
    let sides = argument.split(separator: "x", omittingEmptySubsequences: false).map {
      side -> Int? in
      guard !side.isEmpty, side.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
      return Int(side)
    }
    guard (1...2).contains(sides.count), let width = sides[0], let height = sides[sides.count - 1],
      (1...Self.most).contains(width), (1...Self.most).contains(height)
    else { return nil }
    self.init(width: width, height: height)
  }

  var description: String { width == height ? "\(width)" : "\(width)x\(height)" }
  var defaultValueDescription: String { description }
}

extension FitMode: ExpressibleByArgument {}
extension StackLayout: ExpressibleByArgument {}
