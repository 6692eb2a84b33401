// Codes of a VQGAN on a grid.

/// Codes of a VQGAN on a grid, and the VQGAN that gives them meaning.
package struct CodeGrid: Codable, Equatable, Sendable {
  package var height: Int  // h, codes
  package var width: Int  // w, codes
  package var codebookSize: Int  // K; every code is in 0..<K
  package var fingerprint: String  // SHA-256 of the weights of the VQGAN
  package var vqgan: String  // where the VQGAN was found; empty if unknown

  package init(
    height: Int, width: Int, codebookSize: Int, fingerprint: String, vqgan: String = ""
  ) {
    self.height = height
    self.width = width
    self.codebookSize = codebookSize
    self.fingerprint = fingerprint
    self.vqgan = vqgan
  }

  /// Codes of one image, h·w.
  package var count: Int { height * width }

  enum CodingKeys: String, CodingKey {
    case vqgan
    case height = "grid_height"
    case width = "grid_width"
    case codebookSize = "n_embed"
    case fingerprint = "vqgan_fingerprint"
  }

  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    height = try values.decode(Int.self, forKey: .height)
    width = try values.decode(Int.self, forKey: .width)
    codebookSize = try values.decode(Int.self, forKey: .codebookSize)
    fingerprint = try values.decode(String.self, forKey: .fingerprint)
    vqgan = try values.decode(String.self, forKey: .vqgan)
    guard (1...65_535).contains(height), (1...65_535).contains(width), codebookSize > 0 else {
      throw DecodingError.dataCorrupted(
        .init(
          codingPath: decoder.codingPath,
          debugDescription: "a grid of \(height)×\(width) with \(codebookSize) codes"))
    }
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
