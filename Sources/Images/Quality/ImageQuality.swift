// How much two images of one size differ.

import Platform

/// Quality metrics of an image against its original, both of one size.
package enum ImageQuality {
  /// The mean absolute difference over all pixels and channels, levels of 255; 0 is equal.
  package static func meanAbsoluteError(_ image: RGBImage, _ original: RGBImage) -> Double {
    checkSizes(image, original)
    var sum = 0
    for i in image.pixels.indices {
      sum += abs(Int(image.pixels[i]) - Int(original.pixels[i]))
    }
    return Double(sum) / Double(image.pixels.count)
  }

  /// The peak signal-to-noise ratio in dB, 10 log10(255² / MSE), infinite for equal images.
  ///
  /// The mean square error is taken over all pixels and the three channels together, as
  /// scikit-image's `peak_signal_noise_ratio` does; published metrics that take the luma alone are
  /// higher.
  package static func psnr(_ image: RGBImage, _ original: RGBImage) -> Double {
    checkSizes(image, original)
    return psnr(image.pixels[...], original.pixels[...])
  }

  /// The same of 8-bit values, equally many of both.
  package static func psnr(_ values: ArraySlice<UInt8>, _ original: ArraySlice<UInt8>) -> Double {
    let squares = zip(values, original).reduce(0) { sum, pair in
      let difference = Int(pair.0) - Int(pair.1)
      return sum + difference * difference
    }
    guard squares > 0 else { return .infinity }
    return 10 * log10(255 * 255 * Double(values.count) / Double(squares))
  }

  /// The structural similarity index, 1 for equal images; nil if a side is below 11 pixels.
  ///
  /// The form of the paper: Gaussian window of 11x11 with sigma 1.5, K1 = 0.01, K2 = 0.03, peak
  /// 255, population variances, mean over all windows that lie inside the image, then over the
  /// three channels. Equal to scikit-image's `structural_similarity` with `gaussian_weights=True`,
  /// `sigma=1.5`, `use_sample_covariance=False`.
  ///
  /// Source: Wang, Bovik, Sheikh, Simoncelli, "Image quality assessment: from error visibility to
  /// structural similarity", IEEE Transactions on Image Processing 13(4), 2004.
  package static func ssim(_ image: RGBImage, _ original: RGBImage) -> Double? {
    ssim(image, original, window: .standard, sampleFactor: 1)
  }

  /// The index with a uniform window of 7x7 and sample covariances, scikit-image's default, which
  /// some papers report; nil if a side is below 7 pixels.
  package static func uniformSSIM(_ image: RGBImage, _ original: RGBImage) -> Double? {
    ssim(image, original, window: .uniform7, sampleFactor: 49.0 / 48)
  }

  /// - Parameter sampleFactor: what population variances are multiplied by.
  private static func ssim(
    _ image: RGBImage, _ original: RGBImage, window: GaussianWindow, sampleFactor: Double
  ) -> Double? {
    checkSizes(image, original)
    guard min(image.width, image.height) >= window.weights.count else { return nil }
    let c1 = (0.01 * 255) * (0.01 * 255)
    let c2 = (0.03 * 255) * (0.03 * 255)

    var sum = 0.0
    var windows = 0
    for channel in 0..<3 {
      let a = plane(channel, of: image)
      let b = plane(channel, of: original)
      func mean(_ values: [Double]) -> [Double] {
        window.means(of: values, width: image.width, height: image.height)
      }
      let meanA = mean(a)
      let meanB = mean(b)
      let squareA = mean(zip(a, a).map(*))
      let squareB = mean(zip(b, b).map(*))
      let product = mean(zip(a, b).map(*))
      for i in meanA.indices {
        let (ma, mb) = (meanA[i], meanB[i])
        let luminance = (2 * ma * mb + c1) / (ma * ma + mb * mb + c1)
        let structure =
          (2 * sampleFactor * (product[i] - ma * mb) + c2)
          / (sampleFactor * (squareA[i] - ma * ma + squareB[i] - mb * mb) + c2)
        sum += luminance * structure
      }
      windows += meanA.count
    }
    return sum / Double(windows)
  }

  private static func checkSizes(_ a: RGBImage, _ b: RGBImage) {
    precondition(
      a.width == b.width && a.height == b.height,
      "an image of \(a.width)x\(a.height) against one of \(b.width)x\(b.height)")
  }

  private static func plane(_ channel: Int, of image: RGBImage) -> [Double] {
    (0..<image.width * image.height).map { Double(image.pixels[$0 * 3 + channel]) }
  }
}
