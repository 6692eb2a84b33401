// The digest that torchvision puts into the names of its files.
import Checksums
import DurableFiles

/// `NAME-397923af.pth`: the eight digits begin the file's SHA-256.
struct NamedDigest {
  /// What is wrong; nil if the digest is right or the name has none.
  let problem: String?

  init(_ path: String) throws(DurableFileError) {
    let stem = path.split(separator: "/").last.map { $0.prefix { $0 != "." } } ?? ""
    let digits = stem.split(separator: "-").last ?? ""
    guard stem.contains("-"), digits.utf8.count == 8, UInt32(digits, radix: 16) != nil else {
      problem = nil
      return
    }
    let file = try OpenFile(reading: path)
    var hash = SHA256()
    let count = try file.count
    for start in stride(from: 0, to: count, by: 1 << 20) {
      try file.bytes(start..<min(start + 1 << 20, count)).withUnsafeBytes { hash.update($0) }
    }
    let found = hexadecimal(hash.finalize())
    problem =
      found.hasPrefix(digits)
      ? nil : "\(path): its SHA-256 begins with \(found.prefix(8)), its name says \(digits)"
  }
}
