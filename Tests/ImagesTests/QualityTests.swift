// The quality metrics equal those of scikit-image.

import Images
import Testing

@Test func figuresEqualScikitImage() throws {
  let expected = try Fixture.expected().quality
  #expect(expected.count == 4)
  let original = try Fixture.image("source-65x47.rgb", width: 65, height: 47)
  for one in expected {
    let image = try Fixture.image("quality-\(one.name).rgb", width: 65, height: 47)
    let psnr = ImageQuality.psnr(image, original)
    if let wanted = one.psnr {
      #expect(abs(psnr - wanted) < 1e-9, "\(one.name)")
    } else {
      #expect(psnr == .infinity)
    }
    let ssim = try #require(ImageQuality.ssim(image, original))
    #expect(abs(ssim - one.ssim) < 1e-9, "\(one.name)")
    let error = ImageQuality.meanAbsoluteError(image, original)
    #expect(abs(error - one.mae) < 1e-9, "\(one.name)")
  }
}

@Test func imagesBelowTheWindowHaveNoSimilarity() {
  let small = RGBImage(width: 40, height: 10, filledWith: .white)
  #expect(ImageQuality.ssim(small, small) == nil)
  let enough = RGBImage(width: 11, height: 11, filledWith: .white)
  #expect(ImageQuality.ssim(enough, enough) == 1)
}
