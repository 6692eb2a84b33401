// Codes of a VQGAN on a grid.

/// Codes of a VQGAN on a grid, and the VQGAN that gives them meaning.
package struct CodeGrid: Codable, Equatable, Sendable {
  package var height: Int  // h, codes
  package var width: Int  // codes of a row: positions times depth
  package var codebookSize: Int  // K; every code is in 0..<K
  package var fingerprint: String  // SHA-256 of all weights of the VQGAN
  package var codesFingerprint: String?  // of what decides its codes; nil in earlier versions
  package var vqgan: String  // where the VQGAN was found; empty if unknown
  /// Codes that share the coarse one of two parts, where the codebook says how they are made of
  /// parts.
  package var subVocabulary: Int?
  package var depth: Int  // codes of one position, which stand one after the other

  package init(
    height: Int, width: Int, codebookSize: Int, fingerprint: String,
    codesFingerprint: String? = nil, vqgan: String = "", depth: Int = 1, subVocabulary: Int? = nil
  ) {
    self.height = height
    self.width = width
    self.codebookSize = codebookSize
    self.fingerprint = fingerprint
    self.codesFingerprint = codesFingerprint
    self.vqgan = vqgan
    self.depth = depth
    self.subVocabulary = subVocabulary
  }

  /// Codes of one image.
  package var count: Int { height * width }

  /// The fingerprint by which the codes of another VQGAN differ from these; nil where both mean the
  /// same.
  ///
  /// VQGANs that differ in their decoders alone have the same codes. Where one of the two tells no
  /// fingerprint of the codes, all weights must be the same.
  package func difference(
    from other: CodeGrid
  ) -> (property: String, own: String, other: String)? {
    if let codesFingerprint, let others = other.codesFingerprint {
      return codesFingerprint == others
        ? nil : (ShardFormat.GridAttributes.grid.codesFingerprint, codesFingerprint, others)
    }
    return fingerprint == other.fingerprint
      ? nil : (ShardFormat.GridAttributes.grid.fingerprint, fingerprint, other.fingerprint)
  }

  enum CodingKeys: String, CodingKey {
    case vqgan, depth
    case subVocabulary = "sub_vocabulary"
    case height = "grid_height"
    case width = "grid_width"
    case codebookSize = "n_embed"
    case fingerprint = "vqgan_fingerprint"
    case codesFingerprint = "codes_fingerprint"
  }

  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    height = try values.decode(Int.self, forKey: .height)
    width = try values.decode(Int.self, forKey: .width)
    codebookSize = try values.decode(Int.self, forKey: .codebookSize)
    fingerprint = try values.decode(String.self, forKey: .fingerprint)
    codesFingerprint = try values.decodeIfPresent(String.self, forKey: .codesFingerprint)
    vqgan = try values.decode(String.self, forKey: .vqgan)
    depth = try values.decodeIfPresent(Int.self, forKey: .depth) ?? 1
    subVocabulary = try values.decodeIfPresent(Int.self, forKey: .subVocabulary)
    guard (1...65_535).contains(height), (1...65_535).contains(width), codebookSize > 0,
      (1...8).contains(depth), width % depth == 0
    else {
      throw DecodingError.dataCorrupted(
        .init(
          codingPath: decoder.codingPath,
          debugDescription:
            "a grid of \(height)×\(width) with \(codebookSize) codes, depth \(depth)"))
    }
  }

  /// Writes a grid; its depth only where that is not 1.
  package func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(height, forKey: .height)
    try values.encode(width, forKey: .width)
    try values.encode(codebookSize, forKey: .codebookSize)
    try values.encode(fingerprint, forKey: .fingerprint)
    try values.encodeIfPresent(codesFingerprint, forKey: .codesFingerprint)
    try values.encode(vqgan, forKey: .vqgan)
    if depth != 1 { try values.encode(depth, forKey: .depth) }
    try values.encodeIfPresent(subVocabulary, forKey: .subVocabulary)
  }
}

/// The codes of a second VQGAN that are the condition of an image's codes.
package struct ConditionCodes: Equatable, Sendable {
  package var input: String  // what that VQGAN reads: images, segmentation, depth
  package var grid: CodeGrid

  package init(input: String, grid: CodeGrid) {
    self.input = input
    self.grid = grid
  }
}
