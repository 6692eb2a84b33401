// Scaled dot-product attention; the scores of one head at a time are all that is ever held.

/// Which positions a position may look at.
package enum AttentionMask: Sendable, Equatable {
  /// Every position sees every other.
  case none
  /// A position sees itself and what stands before; the first `prefix` positions see each other.
  case causal(prefix: Int)
}

/// `softmax(scale · q kᵀ + mask) v` per head.
///
/// - Parameters: q, k, v: `[N, T, C]`; `heads` divides `C`.
/// - Returns: `[N, T, C]`.
/// - Source: Vaswani et al. 2017, eq. 1.
package func attention(
  _ q: Tensor, _ k: Tensor, _ v: Tensor, heads: Int, scale: Float, mask: AttentionMask
) -> Tensor {
  let (q, k, v) = (q.plain(), k.plain(), v.plain())
  let (n, length, channels) = (q.shape[0], q.shape[1], q.shape[2])
  precondition(channels % heads == 0, "\(heads) heads do not divide \(channels) channels")
  precondition(
    q.shape == k.shape && q.shape == v.shape, "q, k, v: \(q.shape), \(k.shape), \(v.shape)")
  let (isCausal, prefix) =
    switch mask {
    case .none: (false, 0)
    case .causal(let prefix): (true, prefix)
    }
  let form = AttentionShape(
    n: n, length: length, heads: heads, width: channels / heads, scale: scale, isCausal: isCausal,
    prefix: prefix)
  let out = Tensor(uninitializedLike: q)
  let logSums = Tensor(uninitialized: [n, heads, length], on: q.device)
  q.backend.attention(q, k, v, form, into: out, logSums: logSums)
  let (q0, k0, v0) = (q.detached(), k.detached(), v.detached())
  return record(out, [q, k, v]) { dout, _ in
    let (dq, dk, dv) = (
      Tensor(uninitializedLike: q0), Tensor(uninitializedLike: k0), Tensor(uninitializedLike: v0)
    )
    dout.backend.attentionBackward(
      q0, k0, v0, out: out, dout: dout, logSums: logSums, form, into: dq, dk, dv)
    return [dq, dk, dv]
  }
}

/// Keys and values of the positions seen so far, for drawing one token at a time.
///
/// Not part of any graph: sampling runs without gradients. Where weights are read in fewer bits
/// than float32, both are kept in bfloat16.
package struct KeyValueCache {
  /// Positions that have been appended.
  package private(set) var length = 0
  private let form: CacheShape
  private var keys, values: Tensor  // [N, heads, capacity, D]

  /// Room for `capacity` positions of `items` sequences with `channels` channels.
  package init(items: Int, capacity: Int, channels: Int, heads: Int, on device: Device) {
    let width = channels / heads
    let bf16 = device.isBF16 && width % 2 == 0
    form = CacheShape(capacity: capacity, heads: heads, width: width, bf16: bf16)
    let shape: Shape = [items, heads, capacity, bf16 ? width / 2 : width]
    keys = Tensor(uninitialized: shape, on: device)
    values = Tensor(uninitialized: shape, on: device)
  }

  /// Positions that fit.
  package var capacity: Int { form.capacity }

  /// Forgets all but the first `length` positions.
  package mutating func truncate(to length: Int) {
    precondition(length <= self.length, "\(length) of \(self.length) positions")
    self.length = length
  }

  /// Appends keys and values `[N, T, C]` without attending.
  package mutating func append(keys newKeys: Tensor, values newValues: Tensor) {
    let count = newKeys.shape[1]
    precondition(
      length + count <= capacity, "\(length) + \(count) positions in a cache of \(capacity)")
    keys.makeUnique()
    values.makeUnique()
    keys.backend.attentionAppend(newKeys, form, at: length, into: keys)
    values.backend.attentionAppend(newValues, form, at: length, into: values)
    length += count
  }

  /// Appends positions and lets each attend to all before it, itself included: q, k, v and the
  /// result are `[N, T, C]`.
  package mutating func attend(_ q: Tensor, _ k: Tensor, _ v: Tensor, scale: Float) -> Tensor {
    let before = length
    append(keys: k, values: v)
    let out = Tensor(uninitializedLike: q)
    q.backend.attentionDecode(
      q, keys: keys, values: values, form, before: before, scale: scale, into: out)
    return out
  }
}
