// What a row of an image shard holds of every pixel: the image itself, and maps beside it.

/// Values of every pixel of a row, as shards store them, batches hold them and a VQGAN reads them.
///
/// A new map is a case here with its line of the table, and a decoder that makes its `RowValues`.
package enum RowMap: String, Codable, CaseIterable, Sendable {
  /// Red, green and blue; every row has them.
  case images
  /// A class; 0 for none.
  case segmentation
  /// How far away: 0 the least of the whole image, 65535 the greatest.
  case depth
  /// The number of a colour in the shard's `Palette`: the image itself, exactly.
  case palette

  /// What there is to know of a map.
  private var traits: (title: String, writer: String, channels: Int, isWide: Bool, isLabels: Bool) {
    switch self {
    case .images: ("images", "every prep command", 3, false, false)
    case .segmentation: ("label maps", "prep-coco --segmentation", 1, false, true)
    case .depth: ("depth maps", "--depth of prep-images or prep-coco", 1, true, false)
    case .palette: ("palette maps", "--palette of prep-atari or prep-images", 1, false, true)
    }
  }

  /// Plural, for messages.
  package var title: String { traits.title }
  /// Which command writes them, for messages.
  package var writer: String { traits.writer }
  /// Values of one pixel.
  package var channels: Int { traits.channels }
  /// Whether values have 16 bits instead of 8.
  package var isWide: Bool { traits.isWide }
  /// Whether values are numbers of classes instead of amounts.
  package var isLabels: Bool { traits.isLabels }
  /// Bytes of one pixel.
  package var bytesPerPixel: Int { channels * (isWide ? 2 : 1) }

  /// Numbers of channels that a model of it can have; one channel per label.
  package var modelChannels: ClosedRange<Int> { isLabels ? 2...256 : channels...channels }

  /// Maps that may stand beside the images of a shard, in the order in which they are stored.
  package static let beside = allCases.filter { $0 != .images }

  /// What a model of so many channels reads unless it says otherwise.
  package static func guessed(channels: Int) -> RowMap {
    allCases.first { !$0.isLabels && $0.channels == channels } ?? .segmentation
  }
}
