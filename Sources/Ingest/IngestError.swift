import RowMaps

/// Why a data set could not be made.
package enum IngestError: Error, Equatable {
  // Input
  case otherImages(path: String, other: String)
  /// - Parameters:
  ///   - what: "image" or "annotation".
  ///   - reason: what is wrong with the first record, if any is.
  case nothingUsable(path: String, what: String, reason: String?)
  case tooManyRecords(path: String, count: Int, read: Int, allowed: Int, first: String)
  /// - Parameters:
  ///   - example: a name that is listed.
  ///   - found: the first name in the folder.
  case noneOfTheImages(folder: String, count: Int, example: String, found: String?)
  case numberTooLarge(id: Int64, name: String, path: String)
  case unknownCategory(String, path: String)
  case badSample(reason: String)
  /// - Parameters: own: colours of the image; all: with those of the images before it.
  case tooManyColors(name: String, own: Int, all: Int, allowed: Int)
  case tooManyErrors(count: Int, samples: Int, allowed: Int, last: String)
  case tooManyLeftOut(count: Int, samples: Int, allowed: Int, last: String)
  case noImages(folder: String)
  case noImagesRead(reason: String)
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
    case .nothingUsable(let path, let what, let reason):
      (reason.map { "\($0); " } ?? "")
        + "\(path): lists no \(what) that could be used, expected \"images\" with id and file_name, "
        + "and annotations of them"
    case .tooManyRecords(let path, let count, let read, let allowed, let first):
      "\(first); \(path): \(count) of \(read) records are invalid, at most \(allowed) are accepted "
        + "(--max-errors)"
    case .noneOfTheImages(let folder, let count, let example, let found):
      "\(folder): none of the \(count) images that the annotations list, such as \(example); found "
        + "\(found ?? "no image"), expected names below this folder, of the same split"
    case .numberTooLarge(let id, let name, let path):
      "\(path): image \(id) (\(name)), expected numbers below 2⁴⁸ = 281474976710656 with --crops, which counts its squares above them"
    case .unknownCategory(let name, let path):
      "\(path): no category \"\(name)\" (--categories), expected names or numbers of its list"
    case .badSample(let reason):
      "\(reason) (stopped by --strict)"
    case .tooManyColors(let name, let own, let all, let allowed):
      "\(name): has \(own) colours, with the images before it \(all); a palette has \(allowed) at "
        + "most (--max-colors, up to \(Palette.most)); palettes are for pixel art that was never "
        + "averaged, enlarged smoothly or stored as JPEG"
    case .tooManyErrors(let count, let samples, let allowed, let last):
      "\(last); that makes \(count) bad samples of \(samples), at most \(allowed) are accepted (--max-errors)"
    case .tooManyLeftOut(let count, let samples, let allowed, let last):
      "\(last); that makes \(count) parts left out of \(samples) samples, at most \(allowed) are "
        + "accepted (--max-errors)"
    case .noImages(let folder):
      "\(folder): no images in it or in the folders below, expected names that end with .jpg or .png"
    case .noImagesRead(let reason):
      "\(reason); there are no other images"
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
