// Decoding of parts of images: the pixels of the whole image, and its errors.

import Images
import TestSupport
import Testing

/// What is needed where one part of an image is looked at, at its own size.
private func needs(_ part: PixelRect, mayBeReduced: Bool = false) -> ImageNeeds {
  ImageNeeds(filter: .bicubic, mayBeReduced: mayBeReduced) { width, height in
    [FitGeometry(from: (width, height), to: (width, height), mode: .stretch).window(part)]
  }
}

private func randomPart(
  of width: Int, _ height: Int, using random: inout some RandomNumberGenerator
) -> PixelRect {
  let columns = Int.random(in: 1...width, using: &random)
  let rows = Int.random(in: 1...height, using: &random)
  return PixelRect(
    x: .random(in: 0...width - columns, using: &random),
    y: .random(in: 0...height - rows, using: &random), width: columns, height: rows)
}

/// The error of a decoder, nil for none.
private func failure(_ decode: () throws(ImageError) -> DecodedImage) -> ImageError? {
  do {
    _ = try decode()
    return nil
  } catch {
    return error
  }
}

@Test("A part of a JPEG of any form has the pixels of the whole image", arguments: 0..<4)
func partsHaveThePixelsOfTheWhole(seed: UInt64) throws {
  var random = SeededGenerator(seed: seed)
  for _ in 0..<50 {
    let form = JPEGForm.random(using: &random)
    let width = Int.random(in: 1...150, using: &random)
    let height = Int.random(in: 1...150, using: &random)
    let file = form.file(width: width, height: height, using: &random)
    let whole = try ImageDecoder.decode(file)
    for _ in 0..<8 {
      let part = randomPart(of: width, height, using: &random)
      let decoded = try ImageDecoder.decode(file, needs: needs(part))
      #expect(
        decoded.pixels
          == whole.cropped(x: part.x, y: part.y, width: part.width, height: part.height),
        "\(form) \(width)x\(height) \(part)")
      #expect((decoded.width, decoded.height) == (width, height))
    }
  }
}

@Test("A damaged JPEG fails as it does when all of it is decoded, wherever the damage is")
func damageOutsideThePartIsFound() throws {
  var random = SeededGenerator(seed: 9)
  var failures = 0
  for _ in 0..<60 {
    let form = JPEGForm.random(using: &random)
    let (width, height) = (Int.random(in: 20...90, using: &random), 80)
    let file = form.file(width: width, height: height, using: &random)
    for _ in 0..<6 {
      var damaged = file
      let at = Int.random(in: file.count / 3..<file.count, using: &random)
      switch Int.random(in: 0..<4, using: &random) {
      case 0: damaged.removeSubrange(at...)
      case 1: damaged[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      case 2: damaged[at] = 0xFF
      default: damaged.remove(at: at)
      }
      let part = randomPart(of: width, height, using: &random)
      let wanted = failure { () throws(ImageError) in
        try ImageDecoder.decode(damaged, needs: .everything)
      }
      let found = failure { () throws(ImageError) in
        try ImageDecoder.decode(damaged, needs: needs(part))
      }
      #expect(found == wanted, "\(form) \(width)x\(height) \(part) at \(at)")
      if wanted != nil { failures += 1 }
    }
  }
  #expect(failures > 100)
}

@Test func partsOfAProgressiveImageWithoutItsLastScansAreSmoothedAsTheWhole() throws {
  var random = SeededGenerator(seed: 5)
  let form = JPEGForm(sampling: [(2, 2), (1, 1), (1, 1)], isProgressive: true)
  let file = form.file(width: 120, height: 90, using: &random)
  let scans = file.indices.dropLast().filter { file[$0] == 0xFF && file[$0 + 1] == 0xDA }
  #expect(scans.count > 6)
  for end in scans.dropFirst() {
    let cut = Array(file[..<end]) + [0xFF, 0xD9]
    let whole = try ImageDecoder.decode(cut)
    for _ in 0..<10 {
      let part = randomPart(of: 120, 90, using: &random)
      #expect(
        try ImageDecoder.decode(cut, needs: needs(part)).pixels
          == whole.cropped(x: part.x, y: part.y, width: part.width, height: part.height))
    }
  }
}

@Test(
  "What is fitted of a part equals what is fitted of the whole", arguments: ResizeFilter.allCases)
func fittingAPart(filter: ResizeFilter) throws {
  var random = SeededGenerator(seed: 3)
  for (width, height) in [(150, 100), (61, 149), (90, 90), (47, 200), (30, 20)] {
    let file = JPEGForm(sampling: [(2, 2), (1, 1), (1, 1)])
      .file(width: width, height: height, using: &random)
    let whole = try ImageDecoder.decode(file)
    for (side, mode) in [
      (32, FitMode.crop), (90, .crop), (100, .crop), (130, .crop), (40, .pad), (50, .stretch),
    ] {
      let fit = FitGeometry(from: (width, height), to: (side, side), mode: mode)
      let corner = fit.window(PixelRect(x: 0, y: 0, width: 9, height: 7))
      for windows in [[fit], [corner], [corner, fit]] where mode == .crop || windows == [fit] {
        let needs = ImageNeeds(filter: filter) { _, _ in windows }
        let decoded = try ImageDecoder.decode(file, needs: needs)
        for window in windows {
          #expect(
            decoded.fitted(window, filter: filter) == whole.fitted(window, filter: filter),
            "\(width)x\(height) \(side) \(mode)")
        }
      }
    }
  }
}

@Test func aPNGAndATurnedImageAreDecodedWhole() throws {
  let part = PixelRect(x: 3, y: 4, width: 5, height: 6)
  let png = try ImageDecoder.decode(try Fixture.bytes("rgb-8.png"), needs: needs(part))
  #expect((png.pixels.width, png.pixels.height) == (33, 25))
  let turned = try ImageDecoder.decode(
    try Fixture.bytes("baseline-420.jpg"), needs: needs(part)
  ) { _, _ in .needsClockwise }
  #expect((turned.width, turned.height) == (25, 33))
  #expect(
    turned.pixels
      == (try ImageDecoder.decode(Fixture.bytes("baseline-420.jpg")))
      .upright(.needsClockwise))
}

// MARK: Reduction

/// The size at which an image is decoded for a square.
private func decodedSide(_ side: Int, for target: Int, mayBeReduced: Bool = true) throws -> Int {
  var random = SeededGenerator(seed: 1)
  let file = JPEGForm(sampling: [(1, 1)]).file(width: side, height: side, using: &random)
  let needs = ImageNeeds(filter: .bicubic, mayBeReduced: mayBeReduced) { width, height in
    [FitGeometry(from: (width, height), to: (target, target), mode: .crop)]
  }
  return try ImageDecoder.decode(file, needs: needs).pixels.width
}

@Test(arguments: [
  (159, 159), (160, 80), (319, 160), (320, 80), (639, 160), (640, 80), (900, 113), (100, 100),
  (50, 50),
])
func anImageIsReducedWhereItIsLargeEnough(side: Int, decoded: Int) throws {
  #expect(try decodedSide(side, for: 100) == decoded)
  #expect(try decodedSide(side, for: 100, mayBeReduced: false) == side)
}

@Test func partsOfReducedImagesHaveThePixelsOfTheWholeReducedImage() throws {
  var random = SeededGenerator(seed: 7)
  for _ in 0..<60 {
    let form = JPEGForm.random(using: &random)
    let width = Int.random(in: 60...200, using: &random)
    let height = Int.random(in: 60...200, using: &random)
    let file = form.file(width: width, height: height, using: &random)
    let fit = FitGeometry(from: (width, height), to: (20, 20), mode: .crop)
    let part = randomPart(of: 20, 20, using: &random)
    let window = fit.window(
      PixelRect(x: part.x - fit.x, y: part.y - fit.y, width: part.width, height: part.height))
    func decoded(_ windows: [FitGeometry]) throws -> DecodedImage {
      try ImageDecoder.decode(
        file, needs: ImageNeeds(filter: .bicubic, mayBeReduced: true) { _, _ in windows })
    }
    let all = FitGeometry(
      from: (width, height), to: (fit.scaledWidth, fit.scaledHeight), mode: .stretch)
    let whole = try decoded([all])
    #expect(whole.pixels.width < width)
    #expect(
      try decoded([window]).fitted(window) == whole.fitted(window), "\(form) \(width)x\(height)")
  }
}

@Test func aReducedImageLooksAsTheWholeOne() throws {
  // Smooth waves: what is cut off is nothing.
  let (width, height) = (201, 151)
  var smooth = RGBImage(width: width, height: height, filledWith: .black)
  for y in 0..<height {
    for x in 0..<width { smooth[x, y] = .grey(UInt8((x * 2 + y) * 255 / 552)) }
  }
  let file = JPEGForm(sampling: [(2, 2), (1, 1), (1, 1)]).file(of: smooth)
  func square(mayBeReduced: Bool) throws -> RGBImage {
    let fit = FitGeometry(from: (width, height), to: (64, 64), mode: .crop)
    return try ImageDecoder.decode(
      file, needs: ImageNeeds(filter: .bicubic, mayBeReduced: mayBeReduced) { _, _ in [fit] }
    ).fitted(fit)
  }
  let difference = largestDifference(
    try square(mayBeReduced: true), try square(mayBeReduced: false))
  #expect(try #require(difference) <= 3)
}
