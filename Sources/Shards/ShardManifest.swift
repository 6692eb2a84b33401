import DurableFiles
import Foundation

/// The file `manifest.json` of a folder of shards: how they were made and which of them are
/// finished.
package struct ShardManifest: Codable, Equatable, Sendable {
  /// A finished shard.
  package struct Entry: Codable, Equatable, Sendable {
    package var name: String
    package var rows: Int
    package var bytes: Int
    /// CRC-32C of the rows' checksums.
    package var crc32c: UInt32
    /// SHA-256 of the file; nil in manifests of earlier versions.
    package var sha256: String?
    package var skipped: [SkippedSample]
    /// Parts that samples were written without; nil for none.
    package var leftOut: [SkippedSample]?
  }

  package var format: String
  package var plan: String  // SHA-256, `ShardPlan.hash`
  package var options: [String: String]
  package var planned: Int  // shards in all
  package var shards: [Entry]  // sorted by name
  /// Shards that are being written: under their names there may be ours; nil for none.
  package var begun: [String]?
  /// What `auto` decided for all shards; nil before the first one, and for other ways to compress.
  package var compressesImages: Bool?

  static let fileName = "manifest.json"
  /// Bytes of the largest manifest that is read: a million skipped samples fit.
  ///
  /// Parsing takes up to 13 times as much memory, so that it stays below 2 GiB.
  private static let maxBytes = 128 << 20
  static let formatName = "vqgan-shards-manifest-1"

  init(_ plan: ShardPlan) {
    format = Self.formatName
    self.plan = plan.hash
    options = plan.options
    planned = plan.shards.count
    shards = []
  }

  /// Whether no shard is finished, and none lies in the folder either.
  func isEmpty(_ folder: String) throws(ShardError) -> Bool {
    guard shards.isEmpty else { return false }
    do throws(DurableFileError) {
      return try !DurableFile.list(folder).contains { $0.hasSuffix(".h5") }
    } catch {
      throw .file(error)
    }
  }

  /// Whether a run has begun in `folder`.
  package static func exists(in folder: String) -> Bool {
    DurableFile.exists("\(folder)/\(fileName)")
  }

  /// The manifest in `folder`; nil where there is none.
  ///
  /// - Throws: `malformed` for anything that is not a manifest.
  package static func read(in folder: String) throws(ShardError) -> ShardManifest? {
    guard exists(in: folder) else { return nil }
    let path = "\(folder)/\(fileName)"
    let bytes: [UInt8]
    do throws(DurableFileError) {
      bytes = try DurableFile.read(path, atMost: maxBytes)
    } catch {
      throw .file(error)
    }
    guard let manifest = try? JSONDecoder().decode(ShardManifest.self, from: Data(bytes)),
      manifest.format == formatName
    else {
      throw .malformed(
        path: path, item: "the manifest", found: "not one of this program", expected: formatName)
    }
    // A shard lies in the folder itself: its name is a name for what is checked and removed there.
    for entry in manifest.shards
    where DurableFile.hasSlash(entry.name) || !entry.name.hasSuffix(".h5") {
      throw .malformed(
        path: path, item: "the name of a shard", found: "\"\(entry.name)\"",
        expected: "the name of a .h5 file in this folder")
    }
    return manifest
  }

  func write(in folder: String) throws(ShardError) {
    let path = "\(folder)/\(Self.fileName)"
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    guard let json = try? encoder.encode(self) else {
      preconditionFailure("a manifest holds only texts and integers")
    }
    do throws(DurableFileError) {
      try DurableFile.write(Array(json) + [0x0A], to: path)
    } catch {
      throw .file(error)
    }
  }
}

/// A sample that is in no shard, and why.
package struct SkippedSample: Codable, Equatable, Sendable {
  package var name: String
  package var reason: String

  package init(name: String, reason: String) {
    self.name = name
    self.reason = reason
  }
}
