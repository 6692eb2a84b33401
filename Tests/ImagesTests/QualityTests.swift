// The quality figures equal those of scikit-image.

import Images
import Testing

@Test func figuresEqualScikitImage() throws {
  let expected = try Fixture.expected().quality
  #expect(expected.count == 4)
  let original = try Fixture.picture("source-65x47.rgb", width: 65, height: 47)
  for one in expected {
    let picture = try Fixture.picture("quality-\(one.name).rgb", width: 65, height: 47)
    let psnr = PictureQuality.psnr(picture, original)
    if let wanted = one.psnr {
      #expect(abs(psnr - wanted) < 1e-9, "\(one.name)")
    } else {
      #expect(psnr == .infinity)
    }
    let ssim = try #require(PictureQuality.ssim(picture, original))
    #expect(abs(ssim - one.ssim) < 1e-9, "\(one.name)")
    let error = PictureQuality.meanAbsoluteError(picture, original)
    #expect(abs(error - one.mae) < 1e-9, "\(one.name)")
  }
}

@Test func picturesBelowTheWindowHaveNoSimilarity() {
  let small = RGBImage(width: 40, height: 10, filledWith: .white)
  #expect(PictureQuality.ssim(small, small) == nil)
  let enough = RGBImage(width: 11, height: 11, filledWith: .white)
  #expect(PictureQuality.ssim(enough, enough) == 1)
}
