/// The images of one recording: `screens/GAME/ID/N.png`.
package struct AtariScreens: Equatable, Sendable {
  package let folder: String
  /// The numbers N, ascending.
  package let numbers: [Int]
  /// Names in the folder that are no image of the layout, such as `.DS_Store` or `007.png`, sorted.
  package let ignored: [String]

  /// Lists the images of `folder`.
  ///
  /// - Throws: `.unreadable` when the folder cannot be read.
  /// - Complexity: one pass over the folder without a look at any file, then one sort: a folder may
  ///   hold 10⁵ images.
  package init(folder: String) throws(AtariCorpusError) {
    var numbers: [Int] = []
    var ignored: [String] = []
    for name in try CorpusFile.names(in: folder) {
      if let number = NumberedName.number(of: name, suffix: ".png") {
        numbers.append(number)
      } else {
        ignored.append(name)
      }
    }
    self.folder = folder
    self.numbers = numbers.sorted()
    self.ignored = ignored.sorted()
  }

  /// The file of image `number`.
  package func path(of number: Int) -> String { "\(folder)/\(number).png" }

  /// What to add to a row's frame to get the number of its image.
  ///
  /// Version 2 counts both from 0. Version 1 counts images from 1 and rows from 0, so that the last
  /// image's number is the count of rows; where images are missing at the end, the style of the
  /// text tells the version.
  package func offset(for trajectory: AtariTrajectory) -> Int {
    guard numbers.first == 1, trajectory.rows.first?.frame == 0, let last = trajectory.lastFrame
    else { return 0 }
    let imageForEachRow = (numbers.last ?? 0) > last
    return imageForEachRow || trajectory.isVersion1Text ? 1 : 0
  }
}

/// Names such as `17.png`: a number as it prints, nothing before it and the suffix after it.
package enum NumberedName {
  /// The number in `name`, or `nil` for another name, for leading zeros and for numbers above 2³¹ −
  /// 1.
  package static func number(of name: String, suffix: String) -> Int? {
    guard name.hasSuffix(suffix) else { return nil }
    let digits = name.dropLast(suffix.count).utf8
    guard (1...10).contains(digits.count), digits.first != UInt8(ascii: "0") || digits.count == 1
    else { return nil }
    var number = 0
    for digit in digits {
      guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
      number = number * 10 + Int(digit - UInt8(ascii: "0"))
    }
    return number <= Int32.max ? number : nil
  }
}
