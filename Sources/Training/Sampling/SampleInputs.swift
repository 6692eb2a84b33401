// What samples start from.
import Checksums
import Images
import Models
import TensorCore

/// What a sample starts from: codes of an image, or a condition, or both.
package struct SampleInput {
  /// Of the whole image, `[H·W]`; those under the mask stay.
  package var codes: [Int32]?
  package var condition: ConditionInput?
  /// For the sheet: the image or map, read again.
  package var image: (() throws -> RGBImage)?
  /// The objects that the condition tells of.
  package var objects: (() -> RGBImage)?

  package init(
    codes: [Int32]? = nil, condition: ConditionInput? = nil,
    image: (() throws -> RGBImage)? = nil, objects: (() -> RGBImage)? = nil
  ) {
    self.codes = codes
    self.condition = condition
    self.image = image
    self.objects = objects
  }
}

/// Inputs that samples take in turns.
package struct SampleSource {
  /// Inputs that are named one by one, and rows, of which there may be many more than samples.
  let named, rows: Int
  /// Reads one of `0..<named + rows`.
  let read: (Int) throws -> SampleInput

  package init(named: Int = 0, rows: Int = 0, read: @escaping (Int) throws -> SampleInput) {
    (self.named, self.rows, self.read) = (named, rows, read)
  }

  var count: Int { named + rows }

  /// Those that samples with numbers below `end` can have: all that are named, and a row for each.
  func count(below end: Int) -> Int { named + min(rows, end) }

  /// One without anything.
  static var nothing: SampleSource { SampleSource(named: 1) { _ in SampleInput() } }
}

/// The inputs of all samples; each is read when its first sample's turn comes, and kept but for its
/// image.
package final class SampleInputs {
  /// The cells that keep the codes of the input, `[H·W]`; nil for none.
  package let mask: [Bool]?
  private let grid: GridSize
  private let images, conditions: SampleSource
  private var read: [Int: SampleInput] = [:]

  /// Several images under one condition, or one under several.
  ///
  /// - Parameters:
  ///   - grid: of the samples.
  ///   - images: inputs with codes; conditions: inputs with conditions, if others.
  package init(
    of grid: GridSize, images: SampleSource?, conditions: SampleSource?, mask: [Bool]?
  ) {
    self.grid = grid
    self.images = images ?? .nothing
    self.conditions = conditions ?? .nothing
    self.mask = mask
  }

  /// Codes that are sampled for each sample.
  package var drawnCount: Int { mask?.count { !$0 } ?? grid.count }

  /// The input of the sample with a number.
  ///
  /// - Throws: what reading and encoding it throws.
  package func input(_ number: Int) throws -> SampleInput {
    let index = number % max(images.count, conditions.count)
    if let input = read[index] { return input }
    var input = try images.read(index % images.count)
    let condition = try conditions.read(index % conditions.count)
    input.condition = input.condition ?? condition.condition
    input.image = input.image ?? condition.image
    read[index] = input
    return input
  }

  /// The sample with a number.
  ///
  /// - Throws: as `input`.
  package func sample(_ number: Int, random: RandomSource) throws -> Sample {
    let input = try input(number)
    var known = [Int32?](repeating: nil, count: grid.count)
    if let codes = input.codes, let mask {
      for cell in known.indices where mask[cell] { known[cell] = codes[cell] }
    }
    return Sample(number: number, random: random, condition: input.condition, known: known)
  }

  /// Inputs that samples with numbers below `end` can have.
  package func count(below end: Int) -> Int {
    max(images.count(below: end), conditions.count(below: end))
  }

  /// SHA-256 of what decides about samples with numbers below `end` besides their random numbers;
  /// reads it.
  ///
  /// - Throws: as `input`.
  package func digest(below end: Int) throws -> String {
    var hash = SHA256()
    for index in 0..<count(below: end) {
      let input = try input(index)
      let text = "\(input.codes ?? []) \(input.condition.map { "\($0)" } ?? "");"
      Array(text.utf8).withUnsafeBytes { hash.update($0) }
    }
    return hexadecimal(hash.finalize())
  }
}
