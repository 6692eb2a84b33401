// Attention, tables of vectors and codes on the processor.
import CKernels

extension CPUBackend {
  func gatherRows(_ table: Tensor, _ indices: IndexTensor, into y: Tensor) {
    timed("gather rows", floats: 2 * y.count) {
      with(indices) {
        ck_gather_rows(table.floats, $0, y.floats, indices.count, table.shape[1])
      }
    }
  }

  func scatterAddRows(_ x: Tensor, _ indices: IndexTensor, into table: Tensor) {
    timed("scatter add rows", floats: 2 * x.count) {
      with(indices) {
        ck_scatter_add_rows(
          x.floats, $0, table.floats, indices.count, table.shape[1], table.shape[0])
      }
    }
  }

  func attention(
    _ q: Columns, _ k: Columns, _ v: Columns, _ s: AttentionShape, into out: Tensor, logSums: Tensor
  ) {
    timed("attention", operations: s.operations, floats: 4 * out.count) {
      ck_attention_forward(
        q.floats, k.floats, v.floats, out.floats, logSums.floats, s.n, s.length, s.heads, s.width,
        q.stride, out.shape[-1], s.scale, s.isCausal ? 1 : 0, s.prefix, s.step, s.context,
        s.dropped?.kept.bytes, s.dropped?.rate ?? 0)
    }
  }

  func attentionBackward(
    _ q: Columns, _ k: Columns, _ v: Columns, out: Tensor, dout: Tensor, logSums: Tensor,
    _ s: AttentionShape, into dq: Columns, _ dk: Columns, _ dv: Columns
  ) {
    timed("attention backward", operations: 5 * s.operations / 2, floats: 8 * out.count) {
      ck_attention_backward(
        q.floats, k.floats, v.floats, out.floats, dout.floats, logSums.floats, dq.floats, dk.floats,
        dv.floats, s.n, s.length, s.heads, s.width, q.stride, out.shape[-1], s.scale,
        s.isCausal ? 1 : 0, s.prefix, s.step, s.context, s.dropped?.kept.bytes,
        s.dropped?.rate ?? 0)
    }
  }

  func attentionAppend(_ rows: Columns, _ s: CacheShape, at start: Int, into cache: Tensor) {
    let (n, count) = (rows.tensor.shape[0], rows.tensor.shape[1])
    timed("attention keep", floats: 2 * n * count * s.heads * s.width) {
      ck_attention_append(
        rows.floats, rows.stride, cache.storage.memory, s.bf16 ? 1 : 0, n, count, start,
        s.capacity, s.heads, s.width)
    }
  }

  func attentionDecode(
    _ q: Columns, keys: Tensor, values: Tensor, _ s: CacheShape, before: Int, scale: Float,
    into out: Tensor
  ) {
    let (n, count) = (out.shape[0], out.shape[1])
    timed(
      "attention step",
      operations: 4 * (n * s.heads * count * (2 * before + count + 1) / 2) * s.width,
      floats: (s.bf16 ? 1 : 2) * n * s.heads * (before + count) * s.width
    ) {
      ck_attention_decode(
        q.floats, q.stride, keys.storage.memory, values.storage.memory, s.bf16 ? 1 : 0, out.floats,
        n, count, before, s.capacity, s.heads, s.width, scale)
    }
  }

  func rotate(_ x: Tensor, heads: Int, _ rotation: Rotation, sign: Float, into y: Tensor) {
    timed("rotary positions", floats: 2 * x.count) {
      ck_rotate(
        x.floats, rotation.cosines.floats, rotation.sines.floats, y.floats,
        x.shape[0] * x.shape[1], x.shape[1], heads, x.shape[2] / rotation.width, rotation.width,
        sign)
    }
  }

  func nearestCodes(
    _ rows: Tensor, _ codebook: Tensor, into indices: IndexTensor, distances: Tensor
  ) {
    let (m, k, d) = (rows.shape[0], codebook.shape[0], codebook.shape[1])
    let norms = Tensor(uninitialized: [k], on: device)
    timed("row norms", floats: k * d) { ck_row_norms(codebook.floats, norms.floats, k, d) }
    timed("nearest codes", operations: 2 * m * k * d, floats: m * d + k * d) {
      with(indices) {
        ck_nearest_codes(
          rows.floats, codebook.floats, norms.floats, $0, distances.floats, m, k, d)
      }
    }
    withExtendedLifetime(norms) {}
  }

  func smoothedMeans(_ sums: Tensor, counts: Tensor, eps: Float, into means: Tensor) {
    let (k, d) = (sums.shape[0], sums.shape[1])
    timed("smoothed means", floats: 2 * sums.count + k) {
      let (from, sizes, to) = (sums.floats, counts.floats, means.floats)
      var total: Float = 0
      for entry in 0..<k { total += sizes[entry] }
      for entry in 0..<k {
        let smoothed = (sizes[entry] + eps) / (total + Float(k) * eps) * total
        for i in entry * d..<(entry + 1) * d { to[i] = from[i] / smoothed }
      }
    }
  }
}

extension AttentionShape {
  fileprivate var operations: Int {
    4 * n * heads * width * length * length / (isCausal ? 2 : 1)
  }
}
