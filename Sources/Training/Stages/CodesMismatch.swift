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
    try requireMeaning(of: found, at: path, for: owner)
  }

  /// Refuses a VQGAN of another encoder or codebook than the one that gives these codes their
  /// meaning.
  ///
  /// - Parameters:
  ///   - found: the fingerprints of what is at `path`.
  ///   - owner: what speaks these codes, for the message.
  ///   - option: that names another VQGAN.
  package func requireVQGAN(
    _ found: VQGANFingerprints, of path: String, for owner: String, option: String? = nil
  ) throws(CodesMismatch) {
    var codes = self
    (codes.fingerprint, codes.codesFingerprint) = (found.vqgan, found.codes)
    try requireMeaning(
      of: codes, at: path, for: owner, hint: option.map { "; name that VQGAN with \($0)" })
  }

  private func requireMeaning(
    of found: CodeGrid, at path: String, for owner: String, hint: String? = nil
  ) throws(CodesMismatch) {
    guard found.difference(from: self) != nil else { return }
    if let (property, found, expected) = found.traced.difference(from: traced) {
      throw CodesMismatch(
        path: path, property: property, found: found, expected: expected, owner: owner, hint: hint)
    }
  }
}

extension CodeGrid {
  /// These codes with the fingerprint of what decides them: earlier versions did not write it, but
  /// their VQGAN may still be where they say.
  private var traced: CodeGrid {
    guard codesFingerprint == nil, !vqgan.isEmpty,
      let found = try? FirstStageFile.open(vqgan).fingerprints(), found.vqgan == fingerprint
    else { return self }
    var codes = self
    codes.codesFingerprint = found.codes
    return codes
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
    "\(path): \(property) is \(found), that of \(owner) is \(expected)" + reason + (hint ?? "")
  }

  /// What another fingerprint means.
  private var reason: String {
    switch property {
    case "codes_fingerprint":
      "; these are codes of a VQGAN with another encoder or codebook"
    case "vqgan_fingerprint": "; these are codes of another VQGAN"
    default: ""
    }
  }
}
