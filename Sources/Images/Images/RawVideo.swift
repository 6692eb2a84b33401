// Uncompressed video for other programs, as YUV4MPEG2.

/// Images as a Y4M stream, which ffmpeg reads: 4:4:4, BT.601, limited range.
package enum RawVideo {
  /// - Parameter frames: at least one, all of one size.
  package static func encoded(_ frames: [RGBImage], framesPerSecond: Int) -> [UInt8] {
    let (width, height) = (frames[0].width, frames[0].height)
    precondition(
      frames.allSatisfy { $0.width == width && $0.height == height }, "frames of several sizes")
    var bytes = Array(
      "YUV4MPEG2 W\(width) H\(height) F\(framesPerSecond):1 Ip A1:1 C444 XCOLORRANGE=LIMITED\n"
        .utf8)
    bytes.reserveCapacity(bytes.count + frames.count * (3 * width * height + 6))
    for frame in frames {
      bytes += Array("FRAME\n".utf8)
      let pixels = frame.pixels
      // Y, Cb and Cr: weights of red, green and blue in 256ths, and what black has.
      for (r, g, b, offset) in [(66, 129, 25, 16), (-38, -74, 112, 128), (112, -94, -18, 128)] {
        for pixel in stride(from: 0, to: pixels.count, by: 3) {
          let sum = r * Int(pixels[pixel]) + g * Int(pixels[pixel + 1]) + b * Int(pixels[pixel + 2])
          bytes.append(UInt8((sum + 128) >> 8 + offset))
        }
      }
    }
    return bytes
  }
}
