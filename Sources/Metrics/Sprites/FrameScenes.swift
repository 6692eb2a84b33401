// The scenes of recordings of a game, and what stands still in them.

/// The scenes of frames of one size, such as the rooms of a game, each with its background.
///
/// The median over a whole recording is no background where the recording goes through several
/// rooms. So frames that differ in a tenth of their pixels at most are of one scene, which is a pure
/// function of the frames.
package struct FrameScenes: Sendable {
  /// The median of the frames of each scene, `[H, W, 3]`; scenes of fewer than three have none.
  package let backgrounds: [[UInt8]]
  /// Which frames are of the scene of each background, at most 63 of them, evenly spread.
  let members: [[Int]]

  /// Fraction of the pixels in which frames of one scene may differ.
  package static let nearness = 0.1
  /// Frames that a median is taken of, at most, evenly spread.
  static let maxFrames = 63

  /// - Parameter frames: `[H, W, 3]` each, of one size.
  /// - Complexity: every frame is compared with the first one of each scene.
  package init(_ frames: [[UInt8]]) {
    var scenes: [[Int]] = []
    for (index, frame) in frames.enumerated() {
      if let scene = Self.nearest(to: frame, of: scenes.map { frames[$0[0]] }) {
        scenes[scene].append(index)
      } else {
        scenes.append([index])
      }
    }
    members = scenes.filter { $0.count >= 3 }.map { scene in
      let taken = min(scene.count, Self.maxFrames)
      // An odd number has a frame in its middle.
      let count = taken - 1 + taken % 2
      return (0..<count).map { scene[$0 * scene.count / count] }
    }
    backgrounds = members.map { scene in Self.median(scene.map { frames[$0] }) }
  }

  /// The background of a frame's scene.
  ///
  /// - Returns: nil for a frame that differs from all in more than a tenth of its pixels.
  package func background(of frame: [UInt8]) -> [UInt8]? {
    Self.nearest(to: frame, of: backgrounds).map { backgrounds[$0] }
  }

  /// Which pixels of a frame are not those of its background, 1 for these and 0 for others, `[H, W]`;
  /// none in a frame of no scene.
  package func changes(in frame: [UInt8]) -> [UInt8] {
    guard let background = background(of: frame) else {
      return [UInt8](repeating: 0, count: frame.count / 3)
    }
    return (0..<frame.count / 3).map { pixel in
      let values = 3 * pixel..<3 * pixel + 3
      return frame[values] == background[values] ? 0 : 1
    }
  }

  /// The first of those in which the fewest pixels differ, if these are few enough.
  private static func nearest(to frame: [UInt8], of others: [[UInt8]]) -> Int? {
    let limit = Int(nearness * Double(frame.count / 3))
    var best: (index: Int, pixels: Int)?
    for (index, other) in others.enumerated() {
      let pixels = differingPixels(frame, other, atMost: min(limit, (best?.pixels ?? .max) - 1))
      if let pixels { best = (index, pixels) }
    }
    return best?.index
  }

  /// How many pixels differ; nil for more than `limit`.
  static func differingPixels(_ a: [UInt8], _ b: [UInt8], atMost limit: Int = .max) -> Int? {
    precondition(a.count == b.count, "frames of one size are compared")
    return a.withUnsafeBufferPointer { a in
      b.withUnsafeBufferPointer { b in
        var count = 0
        for start in stride(from: 0, to: a.count - 2, by: 3)
        where a[start] != b[start] || a[start + 1] != b[start + 1] || a[start + 2] != b[start + 2] {
          count += 1
          if count > limit { return nil }
        }
        return count <= limit ? count : nil
      }
    }
  }

  /// The median of every value.
  ///
  /// - Parameter frames: an odd number of them.
  private static func median(_ frames: [[UInt8]]) -> [UInt8] {
    frames[0].indices.map { index in
      let first = frames[0][index]
      if frames.allSatisfy({ $0[index] == first }) { return first }
      return frames.map { $0[index] }.sorted()[frames.count / 2]
    }
  }
}
