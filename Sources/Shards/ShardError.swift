import DurableFiles
import RowMaps

/// Why a shard cannot be read or written.
package enum ShardError: Error, Equatable {
  // Input
  case missing(path: String)
  case notAShard(path: String, reason: String)
  case incomplete(path: String)
  case wrongKind(path: String, found: String, expected: String)
  case unsupportedVersion(path: String, found: Int, newest: Int)
  case missingItem(path: String, item: String)
  case malformed(path: String, item: String, found: String, expected: String)
  case externalLink(path: String, item: String, kind: String)
  case unknownFilter(path: String, item: String, filter: String)
  case unreadable(path: String, item: String, reason: String)
  /// Something other than the rows is not what was written.
  case brokenSeal(path: String)
  case noSeal(path: String)
  /// libhdf5 died on it in a process of its own.
  case crashesLibrary(path: String, how: String)
  case checksumMismatch(path: String, row: Int, found: UInt32, expected: UInt32)
  case codeOutOfRange(path: String, row: Int, column: Int, code: Int, codebook: Int)
  case disagreement(
    path: String, other: String, property: String, found: String, expected: String)
  case noRows(paths: [String])
  /// Another file than the one that the command began with.
  case changed(path: String)
  // A folder and its manifest
  case unfinished(path: String, finished: Int, planned: Int)
  case otherThanListed(path: String, is: String?)
  case notListed(path: String)
  case noMaps(path: String, map: RowMap)

  // Output
  case cannotCreate(path: String, reason: String)
  case writeFailed(path: String, item: String, reason: String)
  case file(DurableFileError)
  case externalShard(path: String)
  /// The folder is that of the shards that are read.
  case holdsSources(path: String)
  /// The folder's manifest is that of another command.
  case otherShards(path: String)
  case optionsDiffer(path: String, option: String, found: String, expected: String)
}

extension ShardError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .missing(let path):
      "\(path): no such file"
    case .notAShard(let path, let reason):
      "\(path): not a shard: \(reason); make one with a prep-… command or encode-dataset"
    case .incomplete(let path):
      "\(path): the shard was never finished (attribute `complete` is not set); make it again"
    case .wrongKind(let path, let found, let expected):
      "\(path): a shard of format \"\(found)\", expected \"\(expected)\""
    case .unsupportedVersion(let path, let found, let newest):
      "\(path): format_version is \(found), this program reads 1 to \(newest)"
    case .missingItem(let path, let item):
      "\(path): \(item) is missing"
    case .malformed(let path, let item, let found, let expected):
      "\(path): \(item) is \(found), expected \(expected)"
    case .externalLink(let path, let item, let kind):
      "\(path): \(item) is \(kind); a shard holds all of its data itself"
    case .unknownFilter(let path, let item, let filter):
      "\(path): \(item) is compressed by \(filter), which this program cannot undo;"
        + " rewrite it with gzip or uncompressed"
    case .unreadable(let path, let item, let reason):
      "\(path): \(item) cannot be read: \(reason)"
    case .brokenSeal(let path):
      "\(path): damaged: its attributes, texts or columns are not those that were written"
        + " (their SHA-256 differs); make it again"
    case .noSeal(let path):
      "\(path): damaged or cut short: no seal at its end, which format_version 2 has; make it again"
    case .crashesLibrary(let path, let how):
      "\(path): damaged so that libhdf5 \(how); make it again"
    case .checksumMismatch(let path, let row, let found, let expected):
      "\(path): row \(row) has the CRC-32C \(found), the shard says \(expected);"
        + " the file is damaged, make it again"
    case .codeOutOfRange(let path, let row, let column, let code, let codebook):
      "\(path): /codes[\(row), \(column)] is \(code), the codebook has \(codebook) entries"
    case .disagreement(let path, let other, let property, let found, let expected):
      "\(path): \(property) is \(found), but \(expected) in \(other);"
        + " shards that are read together must agree"
    case .noRows(let paths):
      paths.isEmpty
        ? "no shards given" : "\(paths.joined(separator: ", ")): no rows in any of these shards"
    case .changed(let path):
      "\(path): not the file any more that this command began with: it was replaced or changed"
        + " meanwhile; run the command again when the data stays as it is"
    case .unfinished(let path, let finished, let planned):
      "\(path): only \(finished) of \(planned) planned shards are finished; run the command that"
        + " fills it to its end, or take those that are there with --partial or by their names"
    case .otherThanListed(let path, let name):
      "\(path): \(name.map { "holds what \($0) is to hold" } ?? "not the file that was written")"
        + " by the SHA-256 in manifest.json; restore it, or remove it and make it again"
    case .notListed(let path):
      "\(path): not in manifest.json; it belongs to another folder"
    case .noMaps(let path, let map):
      "\(path): no \(map.title); \(map.writer) writes them"
    case .cannotCreate(let path, let reason):
      "\(path): cannot be created: \(reason)"
    case .writeFailed(let path, let item, let reason):
      "\(path): \(item) cannot be written: \(reason)"
    case .file(let error):
      "\(error)"
    case .externalShard(let path):
      "\(path): exists, but no manifest.json says how it was made, and it is not overwritten; use "
        + "another folder"
    case .holdsSources(let path):
      "\(path): holds the shards that are read; use another folder"
    case .otherShards(let path):
      "\(path): holds shards that another command has made; use another folder"
    case .optionsDiffer(let path, "inputs", let found, let expected):
      "\(path): made from other data: \(found) by names and sizes, and by what shards and"
        + " trajectories hold, now \(expected); use another folder"
    case .optionsDiffer(let path, "annotations", let found, let expected):
      "\(path): made from other data: annotations of SHA-256 \(found), now \(expected);"
        + " use another folder"
    case .optionsDiffer(let path, "plan", let found, let expected):
      "\(path): made by another plan of the same options (\(found); now \(expected)): manifest.json"
        + " was edited, or another version wrote it; use another folder"
    case .optionsDiffer(let path, let option, let found, let expected):
      "\(path): made with \(option) = \(found), asked for \(expected);"
        + " use the same options to continue, or another folder"
    }
  }
}
