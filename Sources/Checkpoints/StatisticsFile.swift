// Statistics of features as the tools for FID exchange them.
import Checksums
import DurableFiles
import TensorCore

/// How statistics were made; files of other programs do not tell it.
package struct StatisticsOrigin: Sendable, Equatable {
  package let resize: String  // the convention, "none" of latents
  package let weights: String  // SHA-256 of the network's file, of latents a fingerprint
  package let count: Int  // images
  package let tool: String  // with its version

  package init(resize: String, weights: String, count: Int, tool: String) {
    self.resize = resize
    self.weights = weights
    self.count = count
    self.tool = tool
  }
}

/// The arrays `mu` and `sigma` of a NumPy archive, the form of pytorch-fid and ADM.
///
/// Ours have their origin beside them, as the single values `resize`, `weights_sha256`, `count` and
/// `tool`, which other programs pass over.
package struct StatisticsFile: Sendable, Equatable {
  /// `[D]`.
  package let mean: [Double]
  /// `[D, D]`, row-major.
  package let covariance: [Double]
  /// Nil where the file does not tell it.
  package let origin: StatisticsOrigin?

  package init(mean: [Double], covariance: [Double], origin: StatisticsOrigin? = nil) {
    self.mean = mean
    self.covariance = covariance
    self.origin = origin
  }

  /// - Throws: `PyTorchFileError` for a damaged archive, `NumPyFileError`.
  package init(_ path: String) throws {
    let file = try RandomAccessFile(path)
    let archive = try ZipArchive(file, allowsDeflated: true)
    func array(_ name: String) throws -> (extents: [Int], values: [Double]) {
      let place = "\(path): \(name).npy"
      guard let entry = archive.entries["\(name).npy"] else {
        throw NumPyFileError(
          path: path, problem: "no array \(name), expected mu and sigma, as pytorch-fid writes them"
        )
      }
      let bytes = try Self.contents(of: entry, in: file, at: place)
      let header = try NumPyHeader(bytes[...], path: place)
      let width = ["<f8": 8, "<f4": 4][header.type]
      guard let width else {
        throw NumPyFileError(
          path: place,
          problem: "elements of type \(header.type), expected little-endian floats, <f8 or <f4")
      }
      let count = header.extents.reduce(1) { $0.multipliedReportingOverflow(by: $1).partialValue }
      guard count >= 0, (bytes.count - header.start) / width == count,
        (bytes.count - header.start) % width == 0
      else {
        throw NumPyFileError(
          path: place,
          problem: "\(bytes.count - header.start) bytes for a shape of \(header.extents)"
        )
      }
      let values = bytes.withUnsafeBytes { raw in
        (0..<count).map { index in
          let position = header.start + index * width
          return width == 8
            ? raw.loadUnaligned(fromByteOffset: position, as: Double.self)
            : Double(raw.loadUnaligned(fromByteOffset: position, as: Float.self))
        }
      }
      return (header.extents, values)
    }
    let (mu, sigma) = (try array("mu"), try array("sigma"))
    guard mu.extents.count == 1, sigma.extents == [mu.values.count, mu.values.count] else {
      throw NumPyFileError(
        path: path, problem: "mu of shape \(mu.extents) and sigma of shape \(sigma.extents)")
    }
    guard (mu.values + sigma.values).allSatisfy(\.isFinite) else {
      throw NumPyFileError(path: path, problem: "mu or sigma holds values that are not finite")
    }
    (mean, covariance) = (mu.values, sigma.values)
    origin = try Self.origin(in: archive, of: file, path)
    try requireCovariance(path)
  }

  /// What a file tells of its origin; nil unless it tells all.
  private static func origin(
    in archive: ZipArchive, of file: RandomAccessFile, _ path: String
  ) throws -> StatisticsOrigin? {
    /// The elements of a single value whose type begins so.
    func value(_ name: String, _ type: String) throws -> ArraySlice<UInt8>? {
      let place = "\(path): \(name).npy"
      guard let entry = archive.entries["\(name).npy"], entry.size <= 1 << 16 else { return nil }
      let bytes = try contents(of: entry, in: file, at: place)
      guard let header = try? NumPyHeader(bytes[...], path: place), header.extents.isEmpty,
        header.type.hasPrefix(type)
      else { return nil }
      return bytes[header.start...]
    }
    /// Whole numbers of four bytes, or of eight.
    func numbers(_ bytes: ArraySlice<UInt8>, of width: Int) -> [UInt64] {
      stride(from: bytes.startIndex, to: bytes.endIndex - width + 1, by: width).map { start in
        (0..<width).reduce(0) { $0 | UInt64(bytes[start + $1]) << (8 * $1) }
      }
    }
    func text(_ name: String) throws -> String? {
      try value(name, "<U").map { bytes in
        let scalars = numbers(bytes, of: 4).compactMap { Unicode.Scalar(UInt32($0)) }
        return String(String.UnicodeScalarView(scalars.filter { $0.value != 0 }))
      }
    }
    guard let resize = try text("resize"), let weights = try text("weights_sha256"),
      let tool = try text("tool"), let count = try value("count", "<i8"),
      let images = numbers(count, of: 8).first.flatMap({ Int(exactly: $0) })
    else { return nil }
    return StatisticsOrigin(resize: resize, weights: weights, count: images, tool: tool)
  }

  /// Bytes of the largest array that is read: sigma of 4,096 features.
  private static let limit = 1 << 27

  private static func contents(
    of entry: ZipEntry, in file: RandomAccessFile, at place: String
  ) throws -> [UInt8] {
    guard max(entry.size, entry.range.count) <= limit + 1 << 16 else {
      throw NumPyFileError(path: place, problem: "\(entry.size) bytes, at most \(limit) are read")
    }
    var bytes = try file.bytes(entry.range)
    if entry.isDeflated {
      guard let contents = inflated(bytes, to: entry.size) else {
        throw NumPyFileError(
          path: place, problem: "its compressed data are damaged; copy the file again")
      }
      bytes = contents
    }
    guard bytes.withUnsafeBytes({ crc32($0) }) == entry.crc else {
      throw NumPyFileError(path: place, problem: "its CRC-32 differs; copy the file again")
    }
    return bytes
  }

  private func requireCovariance(_ path: String) throws {
    let width = mean.count
    for row in 0..<width {
      guard covariance[row * width + row] >= 0 else {
        throw NumPyFileError(
          path: path, problem: "sigma[\(row), \(row)] is a variance below 0, no covariances")
      }
    }
    let largest = covariance.reduce(0) { max($0, abs($1)) }
    for row in 0..<width {
      for column in 0..<row
      where abs(covariance[row * width + column] - covariance[column * width + row])
        > 1e-5 * largest
      {
        throw NumPyFileError(
          path: path, problem: "sigma[\(row), \(column)] is not sigma[\(column), \(row)]")
      }
    }
    guard largest > 0 else { return }
    // Rounding to float32 moves eigenvalues by 6e-8 of this norm at most.
    let squares = covariance.reduce(0) { $0 + ($1 / largest) * ($1 / largest) }
    let tolerance = 1e-6 * largest * squares.squareRoot()
    var raised = DoubleMatrix(covariance, rows: width, columns: width)
    for row in 0..<width { raised[row, row] += tolerance }
    guard raised.semidefiniteFactor().rows == width else {
      throw NumPyFileError(
        path: path, problem: "sigma has a negative eigenvalue, below \(-tolerance): no covariances")
    }
  }

  /// Writes the archive; it appears under its name when it is complete.
  ///
  /// - Throws: `DurableFileError`.
  package func write(to path: String) throws(DurableFileError) {
    var archive = try ZipWriter(to: path)
    for (name, extents, values) in [
      ("mu", [mean.count], mean), ("sigma", [mean.count, mean.count], covariance),
    ] {
      try archive.add(
        "\(name).npy", NumPyHeader.bytes(extents: extents) + values.withUnsafeBytes(Array.init))
    }
    if let origin {
      for (name, text) in [
        ("resize", origin.resize), ("weights_sha256", origin.weights), ("tool", origin.tool),
      ] {
        let scalars = text.unicodeScalars
        try archive.add(
          "\(name).npy",
          NumPyHeader.bytes(extents: [], type: "<U\(scalars.count)")
            + scalars.flatMap { Self.littleEndian($0.value) })
      }
      try archive.add(
        "count.npy",
        NumPyHeader.bytes(extents: [], type: "<i8") + Self.littleEndian(Int64(origin.count)))
    }
    try archive.finish()
  }

  private static func littleEndian(_ number: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: number.littleEndian, Array.init)
  }
}
