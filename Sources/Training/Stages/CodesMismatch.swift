// Codes of one VQGAN where those of another are wanted.
import Models
import Shards

extension CodeGrid {
  /// In codes.
  package var size: GridSize { GridSize(height: height, width: width) }
  /// In positions, which have `depth` codes each.
  package var positions: GridSize { GridSize(height: height, width: width / depth) }

  /// Refuses codes other than these.
  ///
  /// - Parameters:
  ///   - found: the codes of the shard at `path`.
  ///   - owner: what speaks these codes, for the message.
  package func require(
    _ found: CodeGrid, of path: String, for owner: String
  ) throws(CodesMismatch) {
    let properties = [
      ("grid", "\(found.size)", "\(size)"),
      ("depth", "\(found.depth)", "\(depth)"),
      ("codebook", "\(found.codebookSize) codes", "\(codebookSize) codes"),
    ]
    for (name, found, expected) in properties where found != expected {
      throw CodesMismatch(
        path: path, property: name, found: found, expected: expected, owner: owner, hint: nil)
    }
    try requireFingerprint(found.fingerprint, of: path, for: owner)
  }

  /// Refuses a VQGAN other than the one that gives these codes their meaning.
  ///
  /// - Parameters:
  ///   - found: the fingerprint of what is at `path`.
  ///   - owner: what speaks these codes, for the message.
  ///   - option: that names another VQGAN.
  package func requireFingerprint(
    _ found: String, of path: String, for owner: String, option: String? = nil
  ) throws(CodesMismatch) {
    guard found == fingerprint else {
      throw CodesMismatch(
        path: path, property: "vqgan_fingerprint", found: found, expected: fingerprint,
        owner: owner, hint: option.map { "; name that VQGAN with \($0)" })
    }
  }
}

/// Codes that mean something else than those that are wanted, or a VQGAN that would read them so.
package struct CodesMismatch: Error, Equatable, CustomStringConvertible {
  let path: String
  let property: String
  let found, expected: String
  /// Whose codes are wanted.
  let owner: String
  let hint: String?

  package var description: String {
    "\(path): \(property) is \(found), that of \(owner) is \(expected)" + (hint ?? "")
  }
}
