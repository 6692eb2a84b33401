// Scaled dot-product attention; the scores of one head at a time are all that is ever held.

/// Which positions a position may look at.
package enum AttentionMask: Sendable, Equatable {
  /// Every position sees every other.
  case none
  /// A position sees itself and what stands before; the first `prefix` positions see each other.
  case causal(prefix: Int)
  /// A position sees itself and what stands before in its own step and the `context` - 1 steps
  /// before; steps are `step` positions each.
  case banded(step: Int, context: Int)
  /// A position sees all of its own step and what stands before.
  case blockCausal(step: Int)
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
  precondition(
    q.shape == k.shape && q.shape == v.shape, "q, k, v: \(q.shape), \(k.shape), \(v.shape)")
  let form = AttentionShape(q.shape, heads: heads, scale: scale, mask: mask)
  let (out, logSums) = (Tensor(uninitializedLike: q), form.logSums(on: q.device))
  q.backend.attention(Columns(q), Columns(k), Columns(v), form, into: out, logSums: logSums)
  let (q0, k0, v0) = (q.detached(), k.detached(), v.detached())
  return record(out, [q, k, v]) { dout, _ in
    let (dq, dk, dv) = (
      Tensor(uninitializedLike: q0), Tensor(uninitializedLike: k0), Tensor(uninitializedLike: v0)
    )
    dout.backend.attentionBackward(
      Columns(q0), Columns(k0), Columns(v0), out: out, dout: dout, logSums: logSums, form,
      into: Columns(dq), Columns(dk), Columns(dv))
    return [dq, dk, dv]
  }
}

extension Tensor {
  /// The same of queries, keys and values that lie beside each other: `[N, T, 3 · C]` to
  /// `[N, T, C]`.
  ///
  /// - Parameters:
  ///   - rate: the fraction of the weights, as the softmax gives them, that is dropped; a byte for
  ///     each of `[N, heads, T, T]` is held until the gradient.
  ///   - random: where dropout takes numbers from in training; `nil` drops nothing.
  package func attention(
    heads: Int, scale: Float, mask: AttentionMask, dropping rate: Float = 0,
    using random: inout RandomSource?
  ) -> Tensor {
    let x = plain()
    let shape: Shape = [x.shape[0], x.shape[1], x.shape[2] / 3]
    let form = AttentionShape(shape, heads: heads, scale: scale, mask: mask)
      .dropping(rate, using: &random, on: device)
    let (out, logSums) = (Tensor(uninitialized: shape, on: device), form.logSums(on: device))
    let (q, k, v) = x.thirds
    backend.attention(q, k, v, form, into: out, logSums: logSums)
    let saved = x.detached()
    return record(out, [x]) { dout, _ in
      let dx = Tensor(uninitializedLike: saved)
      let ((q, k, v), (dq, dk, dv)) = (saved.thirds, dx.thirds)
      dout.backend.attentionBackward(
        q, k, v, out: out, dout: dout, logSums: logSums, form, into: dq, dk, dv)
      return [dx]
    }
  }

  fileprivate var thirds: (Columns, Columns, Columns) {
    let width = shape[-1] / 3
    return (Columns(self), Columns(self, from: width), Columns(self, from: 2 * width))
  }
}

extension AttentionShape {
  fileprivate init(_ rows: Shape, heads: Int, scale: Float, mask: AttentionMask) {
    precondition(rows[2] % heads == 0, "\(heads) heads do not divide \(rows[2]) channels")
    let (isCausal, prefix, step, context) =
      switch mask {
      case .blockCausal(let step): (true, 0, step, 0)
      case .none: (false, 0, 0, 0)
      case .causal(let prefix): (true, prefix, 0, 0)
      case .banded(let step, let context): (true, 0, step, context)
      }
    if case .banded = mask { precondition(step > 0 && context > 0, "\(mask)") }
    if case .blockCausal = mask { precondition(step > 0, "\(mask)") }
    self.init(
      n: rows[0], length: rows[1], heads: heads, width: rows[2] / heads, scale: scale,
      isCausal: isCausal, prefix: prefix, step: step, context: context)
  }

  /// The same with some weights dropped, where there are random numbers.
  fileprivate func dropping(
    _ rate: Float, using random: inout RandomSource?, on device: Device
  ) -> AttentionShape {
    guard rate > 0, var source = random else { return self }
    defer { random = source }
    var shape = self
    shape.dropped = DroppedWeights(
      kept: source.mask(n * heads * length * length, keep: 1 - rate, on: device), rate: rate)
    return shape
  }

  fileprivate func logSums(on device: Device) -> Tensor {
    Tensor(uninitialized: [n, heads, length], on: device)
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

  /// Forgets the first `count` positions; those behind them move to the front.
  package mutating func drop(first count: Int) {
    precondition(count <= length, "\(count) of \(length) positions")
    guard count > 0 else { return }
    let left = count..<length
    Self.keep(left, of: &keys)
    Self.keep(left, of: &values)
    length = left.count
  }

  private static func keep(_ positions: Range<Int>, of kept: inout Tensor) {
    kept.makeUnique()
    let shape = kept.shape
    let rows = kept.reshaped([shape[0] * shape[1], shape[2], shape[3]])
    rows.backend.insert(rows.positions(positions), axis: 1, at: 0, into: rows)
  }

  /// Appends keys and values `[N, T, C]` without attending.
  package mutating func append(keys newKeys: Tensor, values newValues: Tensor) {
    append(Columns(newKeys), Columns(newValues), count: newKeys.shape[1])
  }

  /// The same from queries, keys and values beside each other, `[N, T, 3 · C]`.
  package mutating func append(_ x: Tensor) {
    let (_, k, v) = x.thirds
    append(k, v, count: x.shape[1])
  }

  private mutating func append(_ newKeys: Columns, _ newValues: Columns, count: Int) {
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
    append(keys: k, values: v)
    return attended(Columns(q), q.shape, scale: scale)
  }

  /// The same from queries, keys and values beside each other, `[N, T, 3 · C]`.
  package mutating func attend(_ x: Tensor, scale: Float) -> Tensor {
    append(x)
    return attended(x.thirds.0, [x.shape[0], x.shape[1], x.shape[2] / 3], scale: scale)
  }

  /// What queries see that stand at the end of the cache.
  private func attended(_ q: Columns, _ shape: Shape, scale: Float) -> Tensor {
    let out = Tensor(uninitialized: shape, on: q.tensor.device)
    out.backend.attentionDecode(
      q, keys: keys, values: values, form, before: length - shape[1], scale: scale, into: out)
    return out
  }
}
