import Images

/// What happens to the pictures of game states on their way into a shard: each is fitted to one size, then they are put together.
package struct PictureRecipe: Equatable, Sendable {
  /// Size of one game state, pixels.
  package var width: Int
  package var height: Int
  package var fit: FitMode
  package var filter: ResizeFilter
  /// Game states in one stored picture; 1 for single frames.
  package var stack: Int
  package var layout: StackLayout

  package init(
    width: Int, height: Int, fit: FitMode, filter: ResizeFilter, stack: Int = 1,
    layout: StackLayout = .horizontal
  ) {
    self.width = width
    self.height = height
    self.fit = fit
    self.filter = filter
    self.stack = stack
    self.layout = layout
  }

  /// Width of a stored picture, pixels.
  package var storedWidth: Int { width * layout.cells(for: stack).columns }

  /// Height of a stored picture, pixels.
  package var storedHeight: Int { height * layout.cells(for: stack).rows }

  /// The stored picture.
  ///
  /// - Parameter states: `stack` pictures of any size, the oldest first.
  /// - Returns: a picture of `storedWidth` × `storedHeight`.
  package func picture(of states: [RGBImage]) -> RGBImage {
    precondition(states.count == stack, "\(states.count) states for a stack of \(stack)")
    let fitted = states.map { $0.fitted(width: width, height: height, mode: fit, filter: filter) }
    if stack == 1 { return fitted[0] }
    let columns = layout.cells(for: stack).columns
    var picture = RGBImage(width: storedWidth, height: storedHeight, filledWith: .black)
    for (cell, state) in fitted.enumerated() {
      picture.draw(state, x: cell % columns * width, y: cell / columns * height)
    }
    return picture
  }
}
