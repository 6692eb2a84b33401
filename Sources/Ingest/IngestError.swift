/// Why a data set could not be made.
package enum IngestError: Error, Equatable {
  // Input
  case otherImages(path: String, other: String)
  case noneOfTheImages(folder: String, count: Int, example: String)
  case numberTooLarge(id: Int64, name: String, path: String)
  case unknownCategory(String, path: String)
  case badSample(reason: String)
  case tooManyErrors(count: Int, samples: Int, allowed: Int, last: String)
  case noImages(folder: String)
  case notAList(path: String, found: String)
  /// - Parameter reason: what was wrong with the first bad one, if any was found.
  case noSamples(path: String, split: String, reason: String?)
  case nothingWritten(folder: String)
  case holdoutNotSelected(id: Int)

  // Output
  case noSpace(folder: String, needed: Int, free: Int)
}

extension IngestError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .otherImages(let path, let other):
      "\(path): lists none of the images of \(other); are both of one split?"
    case .noneOfTheImages(let folder, let count, let example):
      "\(folder): none of the \(count) images that the annotations list, such as \(example); are both of one split?"
    case .numberTooLarge(let id, let name, let path):
      "\(path): image \(id) (\(name)), expected numbers below 2⁴⁸ = 281474976710656 with --crops, which counts its squares above them"
    case .unknownCategory(let name, let path):
      "\(path): no category \"\(name)\" (--categories), expected names or numbers of its list"
    case .badSample(let reason):
      "\(reason) (stopped by --strict)"
    case .tooManyErrors(let count, let samples, let allowed, let last):
      "\(last); that makes \(count) bad samples of \(samples), at most \(allowed) are accepted (--max-errors)"
    case .noImages(let folder):
      "\(folder): no images in it or in the folders below, expected names that end with .jpg or .png"
    case .notAList(let path, let found):
      "\(path): \(found), expected a folder or a text of paths, one per line"
    case .noSamples(let path, let split, let reason):
      "\(path): no image for the \(split) split"
        + (reason.map { "; \($0)" }
          ?? "; look at the options that choose images, and at --holdout")
    case .nothingWritten(let folder):
      "\(folder): every sample was skipped; skipped.jsonl there says why"
    case .holdoutNotSelected(let id):
      "--holdout \(id): not among --trajectories"
    case .noSpace(let folder, let needed, let free):
      "\(folder): the shards need \(needed) bytes, \(free) are free; use --compression or another --out"
    }
  }
}
