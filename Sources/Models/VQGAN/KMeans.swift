// k-means, for the codebook's first entries.
import TensorCore

/// Counts `[K]` and sums `[K, D]` of the rows `[M, D]` by cluster.
func clusterSums(_ rows: Tensor, _ indices: IndexTensor, clusters: Int) -> (
  counts: Tensor, sums: Tensor
) {
  (
    indices.counts(of: clusters, on: rows.device),
    rows.scatteredSums(at: indices, rows: clusters)
  )
}

/// Centres of `clusters` clusters of the rows `[M, D]`, `[K, D]`.
///
/// The first centres are spread by k-means++, so that rare vectors get centres too; an empty
/// cluster moves to a row sampled in proportion to its squared distance from its centre. Where
/// there are fewer distinct rows than clusters, the spare centres lie beside random rows.
/// - Parameter onSphere: whether centres are given length 1, as rows have then.
/// - Source: Arthur & Vassilvitskii 2007; Lloyd 1982; on the sphere Dhillon & Modha 2001.
package func kMeans(
  _ rows: Tensor, clusters: Int, iterations: Int = 10, onSphere: Bool = false,
  using random: inout RandomSource
) -> Tensor {
  let first = spreadCentres(rows, clusters: clusters, using: &random)
  return kMeans(
    rows, from: Tensor(first, shape: [clusters, rows.shape[1]], on: rows.device),
    iterations: iterations, onSphere: onSphere, using: &random)
}

/// The centres `[K, D]` after Lloyd's iterations: each moves to the mean of the rows `[M, D]` that
/// are nearest to it.
package func kMeans(
  _ rows: Tensor, from centres: Tensor, iterations: Int = 10, onSphere: Bool = false,
  using random: inout RandomSource
) -> Tensor {
  let (clusters, d) = (centres.shape[0], centres.shape[1])
  let values = rows.elements()
  var centres = centres.elements()
  for _ in 0..<iterations {
    let table = Tensor(centres, shape: [clusters, d], on: rows.device)
    let (indices, distances) = rows.nearestRows(in: table)
    let (countTensor, sumTensor) = clusterSums(rows, indices, clusters: clusters)
    let counts = countTensor.elements(), sums = sumTensor.elements()
    let empty = counts.indices.filter { counts[$0] == 0 }
    for k in counts.indices where counts[k] > 0 {
      for i in 0..<d { centres[k * d + i] = sums[k * d + i] / counts[k] }
    }
    for (k, row) in zip(empty, random.choice(empty.count, weights: distances.elements())) {
      for i in 0..<d { centres[k * d + i] = values[row * d + i] }
    }
    if onSphere { centres = Tensor(centres, shape: [clusters, d]).unitRows().elements() }
  }
  return Tensor(centres, shape: [clusters, d], on: rows.device)
}

/// The first centres, `clusters · D` values: each a row sampled in proportion to its squared
/// distance from those before it.
private func spreadCentres(_ rows: Tensor, clusters: Int, using random: inout RandomSource)
  -> [Float]
{
  let (m, d) = (rows.shape[0], rows.shape[1])
  let values = rows.elements()
  var centres: [Float] = []
  centres.reserveCapacity(clusters * d)
  var squares = [Float](repeating: .infinity, count: m)
  var row = Int(random.uniform() * Float(m))
  for _ in 0..<clusters {
    let centre = Array(values[row * d..<(row + 1) * d])
    let isCopy = squares[row] == 0
    centres += isCopy ? centre.map { $0 + 1e-3 * (random.uniform() - 0.5) } : centre
    let found = rows.nearestRows(in: Tensor(centre, shape: [1, d], on: rows.device))
      .distances.elements()
    for i in squares.indices { squares[i] = max(0, min(squares[i], found[i])) }
    squares[row] = 0
    row = random.choice(1, weights: squares)[0]
  }
  return centres
}
