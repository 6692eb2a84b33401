// Operations that only run forward, against loops over every tap.
import TensorCore
import Testing

@Suite struct InferenceTests {
  private func image(_ shape: [Int], seed: UInt64) -> Tensor {
    var random = RandomSource(seed: seed)
    return random.normal(Shape(shape))
  }

  /// `y[n, o, i, j]` of a sum over the pixels of a window that lie inside.
  private func windows(
    _ x: Tensor, _ windows: WindowShape, channels: Int, pad: Int, _ reduce: (_ taps: [Tap]) -> Float
  ) -> [Float] {
    let (n, h, w) = (x.shape[0], x.shape[2], x.shape[3])
    let (top, left) = (windows.padding.top, windows.padding.left)
    let height = (h + top + windows.padding.bottom - windows.height) / windows.stride + 1
    let width = (w + left + windows.padding.right - windows.width) / windows.stride + 1
    var result: [Float] = []
    for item in 0..<n {
      for channel in 0..<channels {
        for i in 0..<height {
          for j in 0..<width {
            var taps: [Tap] = []
            for a in 0..<windows.height {
              for b in 0..<windows.width {
                let (y, z) = (i * windows.stride + a - top, j * windows.stride + b - left)
                guard (0..<h).contains(y), (0..<w).contains(z) else { continue }
                taps.append(Tap(item: item, channel: channel, a: a, b: b, y: y, x: z))
              }
            }
            result.append(reduce(taps))
          }
        }
      }
    }
    return result
  }

  private struct Tap { let item, channel, a, b, y, x: Int }

  private func expectEqual(_ a: [Float], _ b: [Float]) {
    #expect(a.count == b.count)
    #expect(zip(a, b).allSatisfy { abs($0 - $1) < 1e-4 })
  }

  @Test(arguments: [(1, 7), (7, 1), (3, 1), (1, 3), (5, 5)])
  func oblongKernels(kernel: (Int, Int)) {
    let x = image([2, 19, 9, 11], seed: 1)
    let w = image([35, 19, kernel.0, kernel.1], seed: 2)
    let bias = image([35], seed: 3)
    let shape = WindowShape.centred(height: kernel.0, width: kernel.1)
    let (xs, ws, bs) = (x.elements(), w.elements(), bias.elements())
    let expected = windows(x, shape, channels: 35, pad: 0) { taps in
      taps.reduce(taps.first.map { bs[$0.channel] } ?? 0) { sum, t in
        (0..<19).reduce(sum) { sum, c in
          sum + xs[((t.item * 19 + c) * 9 + t.y) * 11 + t.x]
            * ws[((t.channel * 19 + c) * kernel.0 + t.a) * kernel.1 + t.b]
        }
      }
    }
    expectEqual(
      x.convolved(with: w, bias: bias, windows: shape, relu: false).elements(), expected)
    expectEqual(
      x.convolved(with: w, bias: bias, windows: shape, relu: true).elements(),
      expected.map { max($0, 0) })
  }

  /// TensorFlow's padding of even sides: nothing at the top, one row at the bottom.
  @Test func kernelsOfOneChannel() {
    let x = image([2, 20, 8, 6], seed: 4)
    let kernels = image([1, 20, 3, 3], seed: 5)
    let bias = image([1, 20, 1, 1], seed: 6)
    var shape = WindowShape(side: 3, stride: 2)
    shape.padding = (0, 0, 1, 1)
    let (xs, ks, bs) = (x.elements(), kernels.elements(), bias.elements())
    let expected = windows(x, shape, channels: 20, pad: 0) { taps in
      taps.reduce(bs[taps[0].channel]) { sum, t in
        sum + xs[((t.item * 20 + t.channel) * 8 + t.y) * 6 + t.x]
          * ks[(t.channel * 3 + t.a) * 3 + t.b]
      }
    }
    expectEqual(
      x.convolvedByChannel(with: kernels, bias: bias, windows: shape).elements(), expected)
  }

  @Test(arguments: [
    WindowShape(side: 3, stride: 2), .centred(height: 3, width: 3),
    WindowShape(height: 7, width: 9),
  ])
  func pooling(shape: WindowShape) {
    let x = image([2, 17, 7, 9], seed: 7)
    let xs = x.elements()
    func value(_ t: Tap) -> Float { xs[((t.item * 17 + t.channel) * 7 + t.y) * 9 + t.x] }
    expectEqual(
      x.maxPooled(shape).elements(),
      windows(x, shape, channels: 17, pad: 0) { $0.map(value).max() ?? 0 })
    expectEqual(
      x.averagePooled(shape).elements(),
      windows(x, shape, channels: 17, pad: 0) { taps in
        taps.map(value).reduce(0, +) / Float(taps.count)
      })
  }

  @Test func joinedChannelsAndCuts() {
    let (a, b) = (image([2, 16, 3, 3], seed: 8), image([2, 32, 3, 3], seed: 9))
    let joined = Tensor.joined([a.blocked(), b.blocked()]).elements()
    let (x, y) = (a.elements(), b.elements())
    #expect(joined == Array(x[..<144] + y[..<288] + x[144...] + y[288...]))
    #expect(
      a.scaled(by: 5, plus: 0).cutAtSix(belowZero: true).elements()
        == x.map { min(max(5 * $0, 0), 6) })
  }
}
