// The published ways to the size of a network, on images small enough to compute by hand.
import Images
import Testing

@Suite struct FeatureResizeTests {
  /// Two grey columns, 0 and 100, to four.
  private func row(_ resize: FeatureResize) -> [Float] {
    let image = RGBImage(width: 2, height: 1, pixels: [0, 0, 0, 100, 100, 100])
    return Array(image.planes(side: 4, resize: resize)[..<4])
  }

  @Test func tensorFlowBeginsAtTheCorner() { #expect(row(.tf) == [0, 50, 100, 100]) }
  @Test func pyTorchBeginsHalfAPixelIn() { #expect(row(.torch) == [0, 25, 75, 100]) }

  /// Pillow: `Image.fromarray(float32 [[0, 100]]).resize((4, 4), BICUBIC)`, clipped.
  @Test func cleanIsPillowsCubic() {
    for (found, expected) in zip(row(.clean), [0, 20.714285, 79.28571, 108.82353] as [Float]) {
      #expect(abs(found - expected) < 1e-3)
    }
  }

  @Test(arguments: FeatureResize.allCases)
  func keepsAnImageOfTheSize(resize: FeatureResize) {
    let pixels = (0..<27).map { UInt8($0 * 9) }
    let planes = RGBImage(width: 3, height: 3, pixels: pixels).planes(side: 3, resize: resize)
    for channel in 0..<3 {
      #expect(
        Array(planes[channel * 9..<channel * 9 + 9])
          == stride(from: channel, to: 27, by: 3).map { Float(pixels[$0]) })
    }
  }

  /// scikit-image: `structural_similarity(a, b, channel_axis=2)` of images of 8×7.
  @Test func uniformSSIM() throws {
    let a = RGBImage(width: 8, height: 7, pixels: (0..<168).map { UInt8($0) })
    let b = RGBImage(width: 8, height: 7, pixels: (0..<168).map { UInt8($0 * 7 % 200) })
    #expect(abs(try #require(ImageQuality.uniformSSIM(a, b)) - 0.15816952135931237) < 1e-9)
    #expect(ImageQuality.uniformSSIM(a, a) == 1)
  }
}
