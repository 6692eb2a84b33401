import ArgumentParser
import CommandSupport
import Images
import Ingest

/// What happens to the pictures.
struct PictureOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Size of a game state, pixels: one number for a square, or WxH.", valueName: "size"),
    transform: PictureSize.init(argument:))
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

extension FitMode: ExpressibleByArgument {}
extension StackLayout: ExpressibleByArgument {}
