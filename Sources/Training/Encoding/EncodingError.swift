// Why images cannot be encoded, or codes decoded.
import RowMaps

/// Why images cannot be encoded, or codes decoded.
package enum EncodingError: Error, Equatable {
  /// The images' sides are no multiples of the VQGAN's factor.
  case size(path: String, width: Int, height: Int, factor: Int)
  /// The VQGAN takes other than colour images.
  case channels(path: String, found: Int)
  /// The VQGAN reads maps, of as many labels as images have channels.
  case input(path: String, found: RowMap)
  /// A map has a label that the VQGAN has no channel for.
  case label(path: String, found: Int, labels: Int)
  /// A pixel has a colour that the VQGAN's palette lacks.
  case color(path: String, found: String, colors: Int)
  /// Two image shards would become one code shard.
  case sameName(path: String, other: String)
}

extension EncodingError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .size(let path, let width, let height, let factor):
      "\(path): images of \(width)×\(height); this VQGAN needs multiples of \(factor) pixels"
    case .channels(let path, let found):
      "\(path): a VQGAN that reads \(found) channels, expected 3"
    case .input(let path, let found):
      "\(path): a VQGAN that reads \(found.title), expected images"
    case .label(let path, let found, let labels):
      "\(path): a map with label \(found); this VQGAN knows 0 to \(labels - 1)"
    case .color(let path, let found, let colors):
      "\(path): a pixel of the colour \(found), which is none of the \(colors) of this VQGAN's palette"
    case .sameName(let path, let other):
      "\(path): a shard of the name of \(other); their code shards would be one file,"
        + " encode them into two folders"
    }
  }
}
