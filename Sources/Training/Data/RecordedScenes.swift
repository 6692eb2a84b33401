// Which images of shards are frames of recorded games, and their scenes.
import Images
import Metrics
import Shards

extension ShardSet where Reader == ImageShardReader {
  /// Whether the images are frames of recordings, by the label `trajectory`.
  package var hasRecordings: Bool { labelNames.contains("trajectory") }

  /// Frames whose scenes are told apart, evenly spread: 512 at most, of 32 MiB together.
  var sceneRows: [Int] { evenRows(min(512, max(3, (32 << 20) / rowBytes)), of: count) }

  /// The scenes of the recordings.
  ///
  /// - Returns: nil where the images are no frames of recordings.
  package func scenes() throws(ShardError) -> FrameScenes? {
    guard hasRecordings else { return nil }
    var frames: [[UInt8]] = []
    for row in sceneRows { frames.append(try pixels(row)) }
    return FrameScenes(frames)
  }
}
