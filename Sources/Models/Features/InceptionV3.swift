// The network whose features FID is measured on.
import NN
import TensorCore

/// Inception v3 of 2015-12-05, whose weights `pt_inception-2015-12-05-6726825d.pth` holds.
///
/// It differs from torchvision's network: means leave the padding out, and the last block's pooling
/// takes the maximum.
/// - Source: Szegedy et al. 2016; pytorch-fid, `inception.py`.
package struct InceptionV3: FoldingLayer, ProbedLayer {
  private var stem: [InferenceConvolution]
  private var a5b, a5c, a5d: InceptionA
  private var b6a: InceptionB
  private var c6b, c6c, c6d, c6e: InceptionC
  private var d7a: InceptionD
  private var e7b, e7c: InceptionE
  private var classWeight: Tensor  // [1008, 2048]
  private var classBias: Tensor

  /// Length of the features.
  package static let width = 2048
  /// Pixels of the square input.
  package static let side = 299

  private static let stemNames = [
    "Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3", "Conv2d_3b_1x1", "Conv2d_4a_3x3",
  ]

  /// With zero weights, to be filled from a file; then `fold` makes it ready.
  package init(on device: Device = .default) {
    let make = InceptionConvolutions(device: device)
    func valid(_ inputs: Int, _ outputs: Int) -> InferenceConvolution {
      InferenceConvolution(inputs, outputs, WindowShape(side: 3), eps: 1e-3, on: device)
    }
    stem = [
      make(3, 32, 3, stride: 2), valid(32, 32), make(32, 64, 3), make(64, 80), valid(80, 192),
    ]
    a5b = InceptionA(192, pool: 32, make)
    a5c = InceptionA(256, pool: 64, make)
    a5d = InceptionA(288, pool: 64, make)
    b6a = InceptionB(288, make)
    c6b = InceptionC(768, inner: 128, make)
    c6c = InceptionC(768, inner: 160, make)
    c6d = InceptionC(768, inner: 160, make)
    c6e = InceptionC(768, inner: 192, make)
    d7a = InceptionD(768, make)
    e7b = InceptionE(1280, takesMaximum: false, make)
    e7c = InceptionE(2048, takesMaximum: true, make)
    classWeight = Tensor(repeating: 0, shape: [1008, Self.width], on: device)
    classBias = Tensor(repeating: 0, shape: [1008], on: device)
  }

  /// Features `[N, 2048]` of images `[N, 3, 299, 299]` in [-1, 1].
  package func callAsFunction(_ images: Tensor) -> Tensor {
    var h = stem[2](stem[1](stem[0](images))).maxPooled3()
    h = stem[4](stem[3](h)).maxPooled3()
    h = a5d(a5c(a5b(h)))
    h = c6e(c6d(c6c(c6b(b6a(h)))))
    return e7c(e7b(d7a(h))).meansOverPositions()
  }

  /// Logits `[N, 1008]` of features, without the bias, as torch-fidelity's Inception Score has
  /// them.
  package func logits(of features: Tensor) -> Tensor {
    features.matmul(classWeight.transposed())
  }

  package mutating func visitParameters(_ visit: (String, inout Tensor) throws -> Void) rethrows {
    try forEachConvolution { name, convolution in
      try convolution.visitParameters { try visit("\(name).\($0)", &$1) }
    }
    try visit("fc.weight", &classWeight)
    try visit("fc.bias", &classBias)
  }

  package mutating func attachProbes(_ found: OverflowProbe.Found) {
    forEachConvolution { $1.probe = OverflowProbe(convolution: $0, found: found) }
  }

  package mutating func forEachConvolution(
    _ body: (String, inout InferenceConvolution) throws -> Void
  ) rethrows {
    for (index, name) in Self.stemNames.enumerated() { try body(name, &stem[index]) }
    try a5b.forEachConvolution { try body("Mixed_5b.\($0)", &$1) }
    try a5c.forEachConvolution { try body("Mixed_5c.\($0)", &$1) }
    try a5d.forEachConvolution { try body("Mixed_5d.\($0)", &$1) }
    try b6a.forEachConvolution { try body("Mixed_6a.\($0)", &$1) }
    try c6b.forEachConvolution { try body("Mixed_6b.\($0)", &$1) }
    try c6c.forEachConvolution { try body("Mixed_6c.\($0)", &$1) }
    try c6d.forEachConvolution { try body("Mixed_6d.\($0)", &$1) }
    try c6e.forEachConvolution { try body("Mixed_6e.\($0)", &$1) }
    try d7a.forEachConvolution { try body("Mixed_7a.\($0)", &$1) }
    try e7b.forEachConvolution { try body("Mixed_7b.\($0)", &$1) }
    try e7c.forEachConvolution { try body("Mixed_7c.\($0)", &$1) }
  }
}
