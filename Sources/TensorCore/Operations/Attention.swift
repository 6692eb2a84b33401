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
  var form = AttentionShape(
    n: n, length: length, heads: heads, width: channels / heads, inputStride: channels,
    scale: scale,
    isCausal: false, prefix: 0)
  if case .causal(let prefix) = mask { (form.isCausal, form.prefix) = (true, prefix) }
  let out = Tensor(uninitializedLike: q)
  let logSums = Tensor(uninitialized: [n, heads, length], on: q.device)
  q.backend.attention(q.pointer, k.pointer, v.pointer, out.pointer, logSums.pointer, form)
  let (q0, k0, v0) = (q.detached(), k.detached(), v.detached())
  return record(out, [q, k, v]) { [form] dout, _ in
    let (dq, dk, dv) = (
      Tensor(uninitializedLike: q0), Tensor(uninitializedLike: k0), Tensor(uninitializedLike: v0)
    )
    dout.backend.attentionBackward(
      q0.pointer, k0.pointer, v0.pointer, out.pointer, dout.pointer, logSums.pointer, dq.pointer,
      dk.pointer, dv.pointer, form)
    return [dq, dk, dv]
  }
}

/// Keys and values of the positions seen so far, for drawing one token at a time.
///
/// Not part of any graph: sampling runs without gradients. Where weights are read in fewer bits than float32, both are kept
/// in bfloat16.
package struct KeyValueCache {
  /// Positions that have been appended.
  package private(set) var length = 0
  /// Positions that fit.
  package let capacity: Int
  private let heads: Int
  private let width: Int  // channels of a head, D
  private let halves: Bool  // two values in the place of a float
  private var keys, values: Tensor  // [N, heads, capacity, D]

  /// Room for `capacity` positions of `items` sequences with `channels` channels.
  package init(items: Int, capacity: Int, channels: Int, heads: Int, on device: Device) {
    self.capacity = capacity
    self.heads = heads
    width = channels / heads
    halves = device.keepsHalves && width % 2 == 0
    let shape: Shape = [items, heads, capacity, halves ? width / 2 : width]
    keys = Tensor(uninitialized: shape, on: device)
    values = Tensor(uninitialized: shape, on: device)
  }

  /// Forgets all but the first `length` positions.
  package mutating func truncate(to length: Int) {
    precondition(length <= self.length, "\(length) of \(self.length) positions")
    self.length = length
  }

  /// Appends keys and values `[N, T, C]` without attending.
  package mutating func append(keys newKeys: Tensor, values newValues: Tensor) {
    let (n, count) = (newKeys.shape[0], newKeys.shape[1])
    precondition(
      length + count <= capacity, "\(length) + \(count) positions in a cache of \(capacity)")
    keys.backend.attentionKeep(
      newKeys.pointer, keys.uniquePointer(), halves: halves, n, count: count, start: length,
      capacity: capacity, heads: heads, width: width)
    values.backend.attentionKeep(
      newValues.pointer, values.uniquePointer(), halves: halves, n, count: count, start: length,
      capacity: capacity, heads: heads, width: width)
    length += count
  }

  /// Appends positions and lets each attend to all before it, itself included: q, k, v and the result are `[N, T, C]`.
  package mutating func attend(_ q: Tensor, _ k: Tensor, _ v: Tensor, scale: Float) -> Tensor {
    let before = length
    append(keys: k, values: v)
    let out = Tensor(uninitializedLike: q)
    q.backend.attentionStep(
      q.pointer, keys.pointer, values.pointer, halves: halves, out.pointer, q.shape[0],
      count: q.shape[1], before: before, capacity: capacity, heads: heads, width: width,
      scale: scale)
    return out
  }
}
