// Lloyd's algorithm, for the codebook's first entries.
import TensorCore

/// Counts `[K]` and sums `[K, D]` of the rows `[M, D]` by cluster.
func clusterSums(_ rows: Tensor, _ indices: IndexTensor, clusters: Int) -> (
  counts: Tensor, sums: Tensor
) {
  var counts = [Float](repeating: 0, count: clusters)
  for k in indices.elements { counts[Int(k)] += 1 }
  return (
    Tensor(counts, shape: [clusters], on: rows.device),
    rows.scatteredSums(at: indices, rows: clusters)
  )
}

/// Centres of `clusters` clusters of the rows `[M, D]`, `[K, D]`.
///
/// Starts from distinct rows drawn at random (with repetition and a little noise if there are fewer rows than clusters); an
/// empty cluster is set to a random row.
package func kMeans(
  _ rows: Tensor, clusters: Int, iterations: Int = 10, using random: inout RandomSource
) -> Tensor {
  let (m, d) = (rows.shape[0], rows.shape[1])
  let values = rows.elements()
  var order = random.permutation(m)
  var centres: [Float] = []
  centres.reserveCapacity(clusters * d)
  for k in 0..<clusters {
    let row = order[k % m]
    let noise: Float = k < m ? 0 : 1e-3
    for i in 0..<d {
      centres.append(values[row * d + i] + (noise == 0 ? 0 : noise * (random.uniform() - 0.5)))
    }
  }
  for _ in 0..<iterations {
    let table = Tensor(centres, shape: [clusters, d], on: rows.device)
    let indices = rows.nearestRows(in: table).indices
    let (countTensor, sumTensor) = clusterSums(rows, indices, clusters: clusters)
    let counts = countTensor.elements(), sums = sumTensor.elements()
    order = random.permutation(m)
    for k in 0..<clusters {
      let row = order[k % m]
      for i in 0..<d {
        centres[k * d + i] = counts[k] > 0 ? sums[k * d + i] / counts[k] : values[row * d + i]
      }
    }
  }
  return Tensor(centres, shape: [clusters, d], on: rows.device)
}
