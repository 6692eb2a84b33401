// Objects that a sample is to show, as an image.
import Images
import Models

/// The objects of a scene with their names, as the model reads them: boxes or points, at the
/// positions that tokens have.
///
/// - Source: `plot` of the reference's conditional builders.
package struct ScenePlot {
  private let scene: Scene
  private let form: SceneTokens.Form
  private let names: [String]

  private static let line = 3  // pixels
  private static let radius = 4  // of a point, pixels
  /// Images below this are enlarged, so that names fit; pixels.
  private static let smallestSide = 256

  /// - Parameter names: of the categories, in the order of their tokens.
  package init(_ scene: Scene, of tokens: SceneTokens, names: [String]) {
    self.scene = tokens.scene(tokens.tokens(scene))
    form = tokens.form
    self.names = names
  }

  /// The whole image that the objects are measured in, with the part of it that is drawn in a grey
  /// frame.
  ///
  /// - Parameters: width, height: of that part, pixels; enlarged by a whole factor where they are
  ///   small.
  package func rendered(width: Int, height: Int) -> RGBImage {
    let factor = max(1, (Self.smallestSide + max(width, height) - 1) / max(width, height))
    func whole(_ pixels: Int, _ fraction: Double) -> Int {
      Int((Double(pixels * factor) / max(fraction, 0.05)).rounded())
    }
    var plot = RGBImage(
      width: whole(width, scene.crop.width), height: whole(height, scene.crop.height),
      filledWith: .white)
    if scene.crop != .whole {
      plot.outline(plot.position(of: scene.crop), thickness: Self.line, with: .grey(63))
    }
    for (index, object) in scene.objects.enumerated() {
      draw(object, RGBColor.ofSeries(index), in: &plot)
    }
    return plot
  }

  private func draw(_ object: SceneObject, _ color: RGBColor, in plot: inout RGBImage) {
    let position = plot.position(of: object.box)
    let label = BitmapFont.shortened(name(of: object), toFit: plot.width)
    let width = BitmapFont.width(of: label)
    var (x, y) = (position.x + 2 * Self.line, position.y + 2 * Self.line)
    switch form {
    case .boxes: plot.outline(position, thickness: Self.line, with: color)
    case .points:
      plot.fillDisc(x: position.x, y: position.y, radius: Self.radius, with: color)
      (x, y) = (position.x - width / 2, position.y - Self.radius - BitmapFont.lineHeight)
    }
    // Names stay inside the image.
    plot.drawText(
      label, x: max(0, min(x, plot.width - width)),
      y: max(0, min(y, plot.height - BitmapFont.lineHeight)), color: .black)
  }

  private func name(of object: SceneObject) -> String {
    let name =
      names.indices.contains(object.category) ? names[object.category] : "\(object.category)"
    let marks = [
      (object.isGroup, "group"), (object.isOccluded, "occluded"),
      (object.isDepiction, "depiction"), (object.isInside, "inside"),
    ].filter(\.0).map(\.1)
    return marks.isEmpty ? name : "\(name) (\(marks.joined(separator: ", ")))"
  }
}

extension RGBImage {
  /// The pixels of a box in fractions of this image; at least one.
  fileprivate func position(of box: UnitBox) -> PixelRect {
    func pixel(_ fraction: Double, _ side: Int) -> Int {
      min(max(Int(fraction * Double(side)), 0), side - 1)
    }
    let (left, top) = (pixel(box.x, width), pixel(box.y, height))
    return PixelRect(
      x: left, y: top, width: pixel(box.x + box.width, width) - left + 1,
      height: pixel(box.y + box.height, height) - top + 1)
  }

  fileprivate mutating func fillDisc(x: Int, y: Int, radius: Int, with color: RGBColor) {
    for dy in -radius...radius {
      let half = Int(Double(radius * radius - dy * dy).squareRoot())
      fill(PixelRect(x: x - half, y: y + dy, width: 2 * half + 1, height: 1), with: color)
    }
  }
}
