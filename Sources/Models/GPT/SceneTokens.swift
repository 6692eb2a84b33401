// Objects of an image as tokens.

/// A rectangle in fractions of an image's sides.
package struct UnitBox: Equatable, Sendable {
  package var x, y, width, height: Double

  package init(x: Double, y: Double, width: Double, height: Double) {
    (self.x, self.y, self.width, self.height) = (x, y, width, height)
  }

  package static let whole = UnitBox(x: 0, y: 0, width: 1, height: 1)

  /// The common part, and nil where there is none.
  func intersection(_ other: UnitBox) -> UnitBox? {
    let (left, top) = (max(x, other.x), max(y, other.y))
    let right = min(x + width, other.x + other.width)
    let bottom = min(y + height, other.y + other.height)
    guard right > left, bottom > top else { return nil }
    return UnitBox(x: left, y: top, width: right - left, height: bottom - top)
  }
}

/// An object of a scene.
package struct SceneObject: Equatable, Sendable {
  /// The position of its category in the list of categories.
  package var category: Int
  package var box: UnitBox
  package var isGroup = false
  package var isOccluded = false
  package var isDepiction = false
  package var isInside = false

  package init(category: Int, box: UnitBox, isGroup: Bool = false) {
    (self.category, self.box, self.isGroup) = (category, box, isGroup)
  }
}

/// What an image shows, and which part of a larger one it is.
package struct Scene: Equatable, Sendable {
  package var objects: [SceneObject]
  /// The image as a part of the whole that the boxes are measured in.
  package var crop: UnitBox

  package init(objects: [SceneObject], crop: UnitBox = .whole) {
    (self.objects, self.crop) = (objects, crop)
  }
}

/// Writes scenes as tokens: for each object its class and its position, and at the end two tokens
/// for the crop.
///
/// Positions are cells of a √V×√V grid over the image, 90×90 for 8192 tokens; the last token stands
/// for nothing.
/// - Source: the reference's `ObjectsBoundingBoxConditionalBuilder` and
///   `ObjectsCenterPointsConditionalBuilder`.
package struct SceneTokens: Equatable, Sendable {
  package enum Form: String, Codable, Sendable { case boxes, points }

  package let form: Form
  /// Tokens that there are.
  package let vocabulary: Int
  /// Categories.
  package let classes: Int
  /// Objects of a scene, at most.
  package let objects: Int

  package init(form: Form, vocabulary: Int, classes: Int, objects: Int) {
    self.form = form
    self.vocabulary = vocabulary
    self.classes = classes
    self.objects = objects
  }

  /// Tokens of an object.
  private var objectLength: Int { form == .boxes ? 3 : 2 }

  /// Tokens of a scene.
  package var length: Int { objects * objectLength + 2 }

  private var none: Int32 { Int32(vocabulary - 1) }

  private var side: Int { Int(Double(vocabulary).squareRoot()) }

  /// The cell of a point in 0…1.
  package func token(x: Double, y: Double) -> Int32 {
    func cell(_ position: Double) -> Int {
      Int((min(max(position, 0), 1) * Double(side - 1)).rounded(.toNearestOrEven))
    }
    return Int32(cell(y) * side + cell(x))
  }

  /// The middle of a cell.
  package func point(_ token: Int32) -> (x: Double, y: Double) {
    (Double(Int(token) % side) / Double(side - 1), Double(Int(token) / side) / Double(side - 1))
  }

  private func corners(_ box: UnitBox) -> [Int32] {
    [token(x: box.x, y: box.y), token(x: box.x + box.width, y: box.y + box.height)]
  }

  /// The tokens of a scene: its objects in their order, as many as fit, then nothing, then the
  /// crop.
  package func tokens(_ scene: Scene) -> [Int32] {
    let visible = scene.objects.compactMap { object -> SceneObject? in
      guard object.box.intersection(scene.crop) != nil else { return nil }
      return object
    }
    var tokens = visible.prefix(objects).flatMap { object -> [Int32] in
      let modifiers = [
        object.isGroup, object.isOccluded, object.isDepiction, object.isInside,
      ]
      let bits = modifiers.enumerated().reduce(0) { $0 + ($1.element ? 1 << $1.offset : 0) }
      let kind = Int32(object.category + classes * bits)
      let box = object.box
      return form == .boxes
        ? [kind] + corners(box)
        : [kind, token(x: box.x + box.width / 2, y: box.y + box.height / 2)]
    }
    tokens += Array(repeating: none, count: objects * objectLength - tokens.count)
    return tokens + corners(scene.crop)
  }

  /// The scene that tokens tell of; boxes of centre points have no extent.
  package func scene(_ tokens: [Int32]) -> Scene {
    func box(_ first: Int32, _ last: Int32) -> UnitBox {
      let (from, to) = (point(first), point(last))
      return UnitBox(x: from.x, y: from.y, width: to.x - from.x, height: to.y - from.y)
    }
    let found = (0..<objects).compactMap { index -> SceneObject? in
      let position = Array(tokens[index * objectLength..<(index + 1) * objectLength])
      guard position[0] != none else { return nil }
      var object = SceneObject(
        category: Int(position[0]) % classes, box: box(position[1], position[objectLength - 1]))
      let bits = Int(position[0]) / classes
      (object.isGroup, object.isOccluded) = (bits & 1 != 0, bits & 2 != 0)
      (object.isDepiction, object.isInside) = (bits & 4 != 0, bits & 8 != 0)
      return object
    }
    return Scene(
      objects: found, crop: box(tokens[tokens.count - 2], tokens[tokens.count - 1]))
  }

  /// The crop that a window of a grid is, for sampling larger images window by window.
  package func scene(_ scene: Scene, in window: GridWindow, of grid: GridSize) -> Scene {
    var part = scene
    part.crop = UnitBox(
      x: scene.crop.x + scene.crop.width * Double(window.column) / Double(grid.width),
      y: scene.crop.y + scene.crop.height * Double(window.row) / Double(grid.height),
      width: scene.crop.width * Double(window.size.width) / Double(grid.width),
      height: scene.crop.height * Double(window.size.height) / Double(grid.height))
    return part
  }
}
