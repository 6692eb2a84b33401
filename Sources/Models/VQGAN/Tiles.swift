// Tiles as codes: an encoder without weights, and what a decoder adds to.
import NN
import RowMaps
import TensorCore

/// Images to their tiles: `[N, 3f², H/f, W/f]`, the colours of f×f pixels as channels.
///
/// Games of flat colours are drawn from tiles, and a tile is the same wherever it stands. As a code
/// it says nothing of its neighbours, so that a GPT has far less to learn than from codes of a
/// trained encoder. The codebook holds the commonest tiles of the training images; of others the
/// nearest in colour is taken.
package struct TileEncoder: ImageEncoder {
  private let tiles: Tiles

  package init(_ config: VQGANConfig, on device: Device) { tiles = Tiles(config, on: device) }

  package func callAsFunction(_ input: VQGANInput, dropout random: inout RandomSource?) -> Tensor {
    tiles.colors(of: input).positionsToChannels(tiles.side)
  }

  package mutating func startLabels() {}

  package mutating func visitParameters(_ visit: (String, inout Tensor) throws -> Void) rethrows {}
}

/// What tiles look like.
struct Tiles: Sendable {
  /// Of a tile, pixels.
  let side: Int
  private let palette: Tensor  // [P, 3] in [-1, 1]

  init(_ config: VQGANConfig, on device: Device) {
    side = config.downsampling
    let bytes = config.palette?.bytes ?? []
    palette = Tensor(
      bytes.map { Float($0) / 127.5 - 1 }, shape: [bytes.count / 3, 3], on: device)
  }

  /// `[N, 3, H, W]` in [-1, 1].
  func colors(of input: VQGANInput) -> Tensor {
    guard case .labels(let labels) = input else { preconditionFailure("tiles are of palettes") }
    let (n, h, w) = (labels.shape[0], labels.shape[1], labels.shape[2])
    return palette.gathered(at: labels).reshaped([n, h * w, 3]).image(height: h, width: w)
  }

  /// Logits of the colours of entries `[N, 3f², h, w]`, 8 and 0, `[N, P, fh, fw]`.
  func logits(of entries: Tensor) -> Tensor {
    let images = entries.channelsToPositions(side)
    let (n, h, w) = (images.shape[0], images.shape[2], images.shape[3])
    let nearest = images.vectors().nearestRows(in: palette).indices
    let colors = palette.shape[0]
    let values = (0..<colors * colors).map { $0 % (colors + 1) == 0 ? Float(8) : 0 }
    return Tensor(values, shape: [colors, colors], on: palette.device).gathered(at: nearest)
      .reshaped([n, h * w, colors]).image(height: h, width: w)
  }
}
