// What was recorded of a game that was played.
import Images
import Shards
import Training

/// The steps of a recording, and the image behind them.
package struct PlayTake {
  package struct Step {
    package let image: RGBImage
    /// Of this image, `[h·w]`.
    package let codes: [Int32]
    /// Chosen in this image, and the class of the reward and the end that it led to.
    package let action: Int32
    package let reward: Int32
    package let isEnd: Bool
    /// Whether the step before led to this image.
    package let follows: Bool
  }

  package internal(set) var steps: [Step] = []
  package internal(set) var last: RGBImage?

  /// As dreams, one for every stretch without a jump, numbered from 0.
  var dreams: [Dream] {
    var stretches: [[Step]] = []
    for step in steps {
      if step.follows, !stretches.isEmpty {
        stretches[stretches.count - 1].append(step)
      } else {
        stretches.append([step])
      }
    }
    return stretches.enumerated().map { number, steps in
      Dream(
        number: number, start: 0, images: steps.dropFirst().map(\.codes),
        actions: steps.map(\.action), rewards: steps.map(\.reward), ends: steps.map(\.isEnd))
    }
  }

  /// Writes an animation, and a code shard as `dream` leaves it where two steps follow each other.
  ///
  /// - Parameters:
  ///   - path: of the files, without the end of their names.
  ///   - grid: what the codes are; they are below `actions`.
  /// - Returns: the paths that were written.
  /// - Throws: `ImageError`, `ShardError`.
  package func write(
    to path: String, fps: Int, of grid: CodeGrid, actions: Int, downsampling: Int,
    toolVersion: String
  ) throws -> [String] {
    let animation = "\(path).png"
    try AnimatedPNG.write(
      steps.map(\.image) + [last].compactMap { $0 }, milliseconds: 1000 / fps, to: animation)
    let shard = "\(path).h5"
    let rows = try Dream.write(
      dreams, of: grid, actions: actions, downsampling: downsampling, toolVersion: toolVersion,
      to: shard)
    return rows > 0 ? [animation, shard] : [animation]
  }
}
