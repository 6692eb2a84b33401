// The codebook: nearest entries, straight-through gradient, codebook loss.
import NN
import TensorCore

/// What quantization gives.
package struct Quantized {
  /// The entries in place of the latents, `[N, D, h, w]`; the gradient passes straight through to the latents.
  package let latents: Tensor
  /// The codebook loss, a scalar.
  package let loss: Tensor
  /// Entries of the codebook, `[N, h, w]`, in `0..<K`.
  package let indices: IndexTensor
  /// Of every latent vector from its entry, `[N · h · w]`; none where entries are drawn.
  package let squaredDistances: Tensor?
}

/// Replaces every latent vector by its nearest codebook entry.
///
/// The loss is `‖sg[q] - z‖² + β ‖q - sg[z]‖²` (means) in the *legacy* form of the published code, which puts β on the
/// codebook term, and `β ‖sg[q] - z‖² + ‖q - sg[z]‖²` in the paper's. With moving averages the codebook has no
/// gradient and the loss is the commitment term alone, times β. A `gumbel` codebook is chosen from by logits instead, see
/// `drawn`.
///
/// Indices are of two kinds: *entries*, places in the codebook, and *codes*, which are the same unless `remap` numbers the
/// entries in use anew.
/// - Source: van den Oord et al. 2017, eq. 3; Esser et al. 2021, eq. 4.
package struct VectorQuantizer: Layer {
  package private(set) var embedding: Embedding
  package let config: QuantizerConfig
  /// Moving averages of an entry's count `[K]` and of the sum of its vectors `[K, D]`.
  private var averages: (size: Tensor, sum: Tensor)?
  /// Logits of a Gumbel quantizer, `D` to `K` channels.
  private var projection: Conv2d?
  /// The entries in use by their codes, `[codes]`.
  private var used: Tensor?
  /// Of the samples of a Gumbel quantizer in training.
  package var temperature: Float

  package init(
    entries: Int, dimension: Int, _ config: QuantizerConfig, using random: inout RandomSource,
    on device: Device
  ) {
    self.config = config
    temperature = config.temperature(0)
    used = config.remap.map {
      Tensor((0..<$0.used).map { Float($0) }, shape: [$0.used], on: device)
    }
    guard config.kind != .gumbel else {
      projection = Conv2d(dimension, entries, kernel: 1, using: &random, on: device)
      embedding = Embedding(weight: random.normal([entries, dimension], on: device))
      return
    }
    let bound = 1 / Float(entries)
    embedding = Embedding(
      weight: random.uniform([entries, dimension], in: -bound..<bound, on: device))
    if config.kind == .movingAverage { replaceEntries(embedding.weight) }
  }

  /// Number of entries, K.
  package var entries: Int { embedding.weight.shape[0] }

  /// The same in training: a Gumbel quantizer draws.
  package func callAsFunction(_ z: Tensor, drawing random: inout RandomSource) -> Quantized {
    guard let projection else { return self(z) }
    let places = z.shape[0] * z.shape[2] * z.shape[3]
    let noise = random.gumbel([places, config.remap?.used ?? entries], on: z.device)
    return drawn(z, by: projection, noise: noise)
  }

  /// The same with given Gumbel noise `[N·h·w, entries in use]`, which only a Gumbel quantizer takes notice of.
  package func callAsFunction(_ z: Tensor, noise: Tensor) -> Quantized {
    projection.map { drawn(z, by: $0, noise: noise) } ?? self(z)
  }

  /// - Parameter z: latents `[N, D, h, w]`.
  package func callAsFunction(_ z: Tensor) -> Quantized {
    if let projection { return drawn(z, by: projection, noise: nil) }
    let (n, d, h, w) = (z.shape[0], z.shape[1], z.shape[2], z.shape[3])
    let rows = z.vectors()
    let (indices, distances) = rows.detached().nearestRows(in: embedding.weight.detached())
    let q = embedding(indices)
    let commitment = rows.meanSquaredDifference(from: q.detached())
    let loss: Tensor
    if config.kind == .movingAverage {
      loss = config.beta * commitment
    } else {
      let codebook = q.meanSquaredDifference(from: rows.detached())
      loss =
        config.legacy ? commitment + config.beta * codebook : config.beta * commitment + codebook
    }
    let straight = rows + (q.detached() - rows.detached())
    return Quantized(
      latents: straight.reshaped([n, h * w, d]).image(height: h, width: w), loss: loss,
      indices: indices.reshaped([n, h, w]), squaredDistances: distances)
  }

  /// The nearest entry of every row of `[M, D]`, or the most likely one; the lowest index on a tie.
  package func nearest(_ rows: Tensor) -> IndexTensor {
    guard let projection else {
      return rows.detached().nearestRows(in: embedding.weight.detached()).indices
    }
    let columns = logits(of: rows, projection).largestColumns()
    return config.remap?.entries(of: columns, usedEntries.map(\.elements) ?? []) ?? columns
  }

  /// The entries in use by their codes; nil if all are.
  package var usedEntries: IndexTensor? {
    used.map { IndexTensor($0.elements().map { Int32($0) }, shape: $0.shape) }
  }

  /// The codes of entries, both `[N, h, w]`.
  package func codes(of entries: IndexTensor) -> IndexTensor {
    guard let remap = config.remap, let usedEntries else { return entries }
    return remap.codes(of: entries, usedEntries.elements)
  }

  /// The entries of codes, both `[N, h, w]`.
  package func entries(of codes: IndexTensor) -> IndexTensor {
    guard let remap = config.remap, let usedEntries else { return codes }
    return remap.entries(of: codes, usedEntries.elements)
  }

  /// The vectors of entries `[N, h, w]` as latents `[N, D, h, w]`.
  package func vectors(of indices: IndexTensor) -> Tensor {
    let (n, h, w) = (indices.shape[0], indices.shape[1], indices.shape[2])
    return embedding(indices.reshaped([n, h * w])).image(height: h, width: w)
  }

  /// Sets the codebook `[K, D]`, for example from k-means.
  package mutating func replaceEntries(_ values: Tensor) {
    embedding.weight.assign(values)
    guard config.kind == .movingAverage else { return }
    // A moving-average codebook has no gradient; each entry starts as the mean of one vector.
    embedding.weight = embedding.weight.detached()
    averages = (Tensor(repeating: 1, shape: [entries], on: values.device), embedding.weight)
  }

  /// Moves the averages, and with them the codebook, towards latents `[M, D]` assigned to `indices` `[M]`.
  ///
  /// - Source: van den Oord et al. 2017, eq. 6–8, with Laplace smoothing of the counts (eps 1e-5).
  package mutating func moveEntries(towards rows: Tensor, at indices: IndexTensor) {
    guard var (size, sum) = averages else { return }
    averages = nil
    let (counts, sums) = clusterSums(rows.detached(), indices, clusters: entries)
    size.moveAverage(towards: counts, decay: config.decay)
    sum.moveAverage(towards: sums, decay: config.decay)
    embedding.weight.assign(sum.smoothedMeans(counts: size, eps: 1e-5))
    averages = (size, sum)
  }

  /// Sets the named entries to given vectors `[dead.count, D]`.
  package mutating func revive(_ dead: [Int], with vectors: [Float]) {
    let d = embedding.weight.shape[1]
    var entries = embedding.weight.elements()
    var sums = averages?.sum.elements() ?? []
    var sizes = averages?.size.elements() ?? []
    for (row, k) in dead.enumerated() {
      for i in 0..<d {
        entries[k * d + i] = vectors[row * d + i]
        if averages != nil { sums[k * d + i] = vectors[row * d + i] }
      }
      if averages != nil { sizes[k] = 1 }
    }
    let device = embedding.weight.device
    embedding.weight.assign(Tensor(entries, shape: embedding.weight.shape, on: device))
    if averages != nil {
      averages = (
        Tensor(sizes, shape: [sizes.count], on: device),
        Tensor(sums, shape: embedding.weight.shape, on: device)
      )
    }
  }

  package mutating func visitParameters(_ visit: (String, inout Tensor) throws -> Void) rethrows {
    if var present = projection {
      projection = nil
      defer { projection = present }
      try present.visitParameters { try visit("proj." + $0, &$1) }
    }
    let table = config.kind == .gumbel ? "embed." : "embedding."
    try embedding.visitParameters { try visit(table + $0, &$1) }
    if var present = averages {
      averages = nil
      defer { averages = present }
      try visit("cluster_size", &present.size)
      try visit("embed_avg", &present.sum)
    }
    if var present = used {
      used = nil
      defer { used = present }
      try visit("used", &present)
    }
  }
}
