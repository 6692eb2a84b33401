// The first weights of a VQGAN, as far as they come from the data.
import Foundation
import Models
import NN
import TensorCore

extension VQGANTrainer {
  /// Starts from the data: the decoder's last bias is the mean colour or the labels' frequencies as
  /// logits, and with `k_means` the codebook the centres of the latent vectors.
  package mutating func initialize(from batches: [VQGANInput], using random: inout RandomSource) {
    withoutGradients {
      model.decoder.startOutput(at: meanOutput(of: batches))
      if model.config.input.isLabels { model.encoder.startLabels() }
      guard model.config.quantizer.initialization == .kMeans else { return }
      var none: RandomSource?
      let vectors = batches.map { model.latents(of: $0, dropout: &none).vectors() }
      guard let first = vectors.first else { return }
      let all = vectors.dropFirst().reduce(first) { $0.followed(by: $1) }
      model.quantizer.startEntries(from: all, using: &random)
    }
  }

  /// Starts from tiles `input`, the last of which are the entries that are left, too.
  mutating func startTiles(_ input: VQGANInput) {
    withoutGradients {
      model.decoder.startTiles()
      let latents = model.latents(of: input).vectors()
      let rows = (0..<model.config.nEmbed).map { Int32(min($0, latents.shape[0] - 1)) }
      model.quantizer.setEntries(
        Array(rows.indices), to: latents.gathered(at: IndexTensor(rows, shape: [rows.count])))
    }
  }

  /// What the output is on average, `[C]`.
  private func meanOutput(of batches: [VQGANInput]) -> [Float] {
    var images: [Tensor] = []
    var labels: [Int32] = []
    for batch in batches {
      switch batch {
      case .values(let values): images.append(values)
      case .labels(let map): labels += map.elements
      }
    }
    guard !labels.isEmpty else { return Self.meanColor(of: images) }
    var counts = [Double](repeating: 0.5, count: model.config.outChannels)
    for label in labels { counts[Int(label)] += 1 }
    guard objective.labelWeights.isEmpty else {
      // The least weighted cross-entropy of one softmax for all positions.
      let total = counts.reduce(0, +)
      return counts.map { Float(log($0 / total)) }
    }
    let total = counts.reduce(0, +) + 0.5
    return counts.map { Float(log($0 / (total - $0))) }
  }

  /// The mean of every channel, `[C]`.
  private static func meanColor(of batches: [Tensor]) -> [Float] {
    var sums: [Float] = []
    for images in batches {
      let (n, c, positions) = (images.shape[0], images.shape[1], images.shape[2] * images.shape[3])
      let values = images.elements()
      sums += Array(repeating: 0, count: max(0, c - sums.count))
      for plane in 0..<n * c {
        let mean =
          values[plane * positions..<(plane + 1) * positions].reduce(0, +) / Float(positions)
        sums[plane % c] += mean / Float(n * batches.count)
      }
    }
    return sums
  }
}
