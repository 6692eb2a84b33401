// The codebook chosen from by logits: Gumbel-softmax samples, straight-through gradient, divergence loss.
import Foundation
import NN
import TensorCore

extension VectorQuantizer {
  /// Entries drawn from the softmax of the logits, or the most likely ones.
  ///
  /// The result is that of the drawn entry alone; its gradient is that of the entries' mean in the shares
  /// `softmax((logits + noise) / temperature)`, and reaches the entries as that of the drawn one. The loss is the divergence
  /// of `softmax(logits)` from even use, times `kl_weight`. With a numbering, entries that are not in use have no logits.
  ///
  /// - Parameters:
  ///   - z: latents `[N, D, h, w]`.
  ///   - noise: standard Gumbel values `[N·h·w, entries in use]`; none for the most likely entries.
  /// - Source: Jang et al. 2017, §2; van den Oord's codebook replaced as in the published code, which draws in evaluation
  ///   too: here that takes the most likely entries, so that a picture has one grid of codes.
  package func drawn(_ z: Tensor, by projection: Conv2d, noise: Tensor?) -> Quantized {
    let (n, d, h, w) = (z.shape[0], z.shape[1], z.shape[2], z.shape[3])
    let logits = self.logits(of: z.vectors(), projection)
    let noisy = noise.map { logits + $0 } ?? logits
    var chosen = noisy.detached().largestColumns()
    if let list = usedEntries {
      chosen = IndexTensor(
        chosen.elements.map { list.elements[Int($0)] }, shape: chosen.shape)
    }
    var q = embedding(chosen)
    if logits.isTracked {
      let shares = noisy.scaled(by: 1 / temperature).softmax()
      let table = embedding.weight.detached()
      let soft = shares.matmul(usedEntries.map { table.gathered(at: $0) } ?? table)
      q = q + (soft - soft.detached())
    }
    // The divergence is from even use of the whole codebook, also where a part of it is left out.
    let left = log(Float(entries) / Float(logits.shape[1]))
    let divergence = logits.divergenceFromUniform().scaled(by: 1, plus: left)
    return Quantized(
      latents: q.reshaped([n, h * w, d]).image(height: h, width: w),
      loss: config.klWeight * divergence, indices: chosen.reshaped([n, h, w]), squaredDistances: nil
    )
  }

  /// One logit for each entry in use, `[M, entries in use]`, of latents `[M, D]`.
  func logits(of rows: Tensor, _ projection: Conv2d) -> Tensor {
    var weight = projection.weight.plain().reshaped([entries, projection.weight.shape[1]])
    var bias = projection.bias
    if let list = usedEntries {
      weight = weight.gathered(at: list)
      bias = bias?.reshaped([entries, 1]).gathered(at: list).reshaped([list.count])
    }
    return rows.linear(weight, bias: bias)
  }
}
