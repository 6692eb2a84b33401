// Which dreamt images could be real.
import Shards

/// Real images by their codes, to be compared with dreamt ones.
///
/// A dreamt image is legal if the codes at a few places alone differ from those of some real image:
/// that is a figure elsewhere, not a room that has melted into another.
package struct LegalFrames {
  /// Places that may differ.
  package let distance: Int
  private var grids: CodeCopies
  /// The room that each real image shows; nil where shards do not tell.
  private var rooms: [Int]?

  /// No images yet; a sixteenth of the places may differ, at 8 pixels a code about what two moving
  /// figures cover.
  package init(height: Int, width: Int) {
    distance = max(1, height * width / 16)
    grids = CodeCopies(height: height, width: width)
    rooms = []
  }

  /// Adds an image, `[h·w]`.
  package mutating func add(_ grid: [Int32], room: Int?) {
    grids.add(grid)
    if let room { rooms?.append(room) } else { rooms = nil }
  }

  /// Adds every image of some shards, with their rooms where they have a column `room`.
  ///
  /// - Parameter progress: called after each row.
  /// - Throws: `ShardError`, and what `progress` throws.
  package mutating func add(_ shards: CodeShardSet, progress: () throws -> Void) throws {
    let rooms = shards.labelNames.contains("room") ? try shards.labels("room").integers : nil
    for row in 0..<shards.count {
      add(try shards.codes(row), room: rooms?[row])
      try progress()
    }
  }

  /// The room of an image, by its number among those that were added.
  package func room(_ number: Int) -> Int? { rooms?[number] }

  /// The real image that differs at the fewest places, by its number, and at how many.
  package func nearest(to grid: [Int32]) -> (number: Int, distance: Int) {
    let found = grids.nearest(to: grid)
    return (found.row, found.distance)
  }
}
