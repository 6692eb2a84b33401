// What a safetensors header says of its tensors, and the checks that make it trustworthy.

/// Where and what a tensor of a file is.
package struct SafetensorsDescription: Equatable, Sendable {
  package let name: String
  package let type: ElementType
  package let shape: [Int]
  /// Bytes, counted from the end of the header.
  package let range: Range<Int>

  /// Elements; the product of the shape.
  package var count: Int { shape.reduce(1, *) }
}

/// A header whose every claim has been checked against the length of its file.
struct SafetensorsHeader {
  static let largest = 100_000_000  // bytes, the limit of the official reader

  let tensors: [SafetensorsDescription]  // in the order of their data
  let metadata: [String: String]

  /// - Parameters:
  ///   - bytes: the header without its length, `{` first.
  ///   - dataBytes: length of what follows the header.
  ///
  /// The order of the checks is that of the official reader.
  init(_ bytes: [UInt8], dataBytes: Int, path: String) throws(SafetensorsError) {
    guard String(validating: bytes, as: UTF8.self) != nil else {
      throw .headerNotUTF8(path: path)
    }
    guard bytes.first == UInt8(ascii: "{") else {
      throw .malformedHeader(path: path, byte: 0, problem: "expected \"{\"")
    }
    var parser = HeaderParser(bytes, path: path)
    let claims = try parser.parse()
    metadata = claims.metadata
    var typed: [(claim: HeaderParser.Tensor, type: ElementType)] = []
    for claim in claims.tensors {
      guard let type = ElementType(rawValue: claim.type) else {
        throw .unknownType(path: path, tensor: claim.name, found: claim.type)
      }
      typed.append((claim, type))
    }
    typed.sort { ($0.claim.begin, $0.claim.end) < ($1.claim.begin, $1.claim.end) }
    var tensors: [SafetensorsDescription] = []
    var end = 0
    for (claim, type) in typed {
      tensors.append(try Self.check(claim, type, begin: end, path: path))
      end = claim.end
    }
    guard end == dataBytes else {
      throw .dataLength(path: path, bytes: dataBytes, expected: end)
    }
    self.tensors = tensors
  }

  private static func check(
    _ claim: HeaderParser.Tensor, _ type: ElementType, begin: Int, path: String
  ) throws(SafetensorsError) -> SafetensorsDescription {
    let name = claim.name
    guard claim.begin == begin, claim.end >= claim.begin else {
      throw .badOffsets(
        path: path, tensor: name, begin: claim.begin, end: claim.end, expectedBegin: begin)
    }
    var bits = 1
    for factor in claim.shape + [type.bits] {
      let (product, overflow) = bits.multipliedReportingOverflow(by: factor)
      if overflow { throw .sizeOverflow(path: path, tensor: name, shape: claim.shape) }
      bits = product
    }
    guard bits % 8 == 0 else { throw .partOfAByte(path: path, tensor: name, bits: bits) }
    guard claim.end - claim.begin == bits / 8 else {
      throw .wrongByteCount(
        path: path, tensor: name, bytes: claim.end - claim.begin, expected: bits / 8)
    }
    return SafetensorsDescription(
      name: name, type: type, shape: claim.shape, range: claim.begin..<claim.end)
  }
}
