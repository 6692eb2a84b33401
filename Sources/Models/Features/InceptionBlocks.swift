// The blocks of Inception v3, as the network behind FID has them.
import NN
import TensorCore

/// Makes the convolutions of a block.
struct InceptionConvolutions {
  let device: Device

  func callAsFunction(
    _ inputs: Int, _ outputs: Int, _ height: Int = 1, _ width: Int? = nil, stride: Int = 1
  ) -> InferenceConvolution {
    var windows = WindowShape.centred(height: height, width: width ?? height)
    if stride > 1 { windows = WindowShape(side: height, stride: stride) }
    return InferenceConvolution(inputs, outputs, windows, eps: 1e-3, on: device)
  }
}

extension Tensor {
  /// 3×3 means that leave the padding out, as TensorFlow takes them.
  fileprivate func averagePooled3() -> Tensor { averagePooled(.centred(height: 3, width: 3)) }
  func maxPooled3() -> Tensor { maxPooled(WindowShape(side: 3, stride: 2)) }
}

/// 35×35 positions: 1×1, 5×5, two 3×3, mean.
struct InceptionA: FoldingLayer {
  private var single, five1, five2, three1, three2, three3, pool: InferenceConvolution

  init(_ inputs: Int, pool pooled: Int, _ make: InceptionConvolutions) {
    single = make(inputs, 64)
    (five1, five2) = (make(inputs, 48), make(48, 64, 5))
    (three1, three2, three3) = (make(inputs, 64), make(64, 96, 3), make(96, 96, 3))
    pool = make(inputs, pooled)
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    .joined([single(x), five2(five1(x)), three3(three2(three1(x))), pool(x.averagePooled3())])
  }

  mutating func forEachConvolution(
    _ body: (String, inout InferenceConvolution) throws -> Void
  ) rethrows {
    try body("branch1x1", &single)
    try body("branch5x5_1", &five1)
    try body("branch5x5_2", &five2)
    try body("branch3x3dbl_1", &three1)
    try body("branch3x3dbl_2", &three2)
    try body("branch3x3dbl_3", &three3)
    try body("branch_pool", &pool)
  }
}

/// From 35×35 to 17×17 positions.
struct InceptionB: FoldingLayer {
  private var three, double1, double2, double3: InferenceConvolution

  init(_ inputs: Int, _ make: InceptionConvolutions) {
    three = make(inputs, 384, 3, stride: 2)
    (double1, double2, double3) = (make(inputs, 64), make(64, 96, 3), make(96, 96, 3, stride: 2))
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    .joined([three(x), double3(double2(double1(x))), x.maxPooled3()])
  }

  mutating func forEachConvolution(
    _ body: (String, inout InferenceConvolution) throws -> Void
  ) rethrows {
    try body("branch3x3", &three)
    try body("branch3x3dbl_1", &double1)
    try body("branch3x3dbl_2", &double2)
    try body("branch3x3dbl_3", &double3)
  }
}

/// 17×17 positions: 1×1, 7×7 and two 7×7 in rows and columns, mean.
struct InceptionC: FoldingLayer {
  private var single, pool: InferenceConvolution
  private var seven, double: [InferenceConvolution]

  init(_ inputs: Int, inner c: Int, _ make: InceptionConvolutions) {
    (single, pool) = (make(inputs, 192), make(inputs, 192))
    seven = [make(inputs, c), make(c, c, 1, 7), make(c, 192, 7, 1)]
    double = [
      make(inputs, c), make(c, c, 7, 1), make(c, c, 1, 7), make(c, c, 7, 1), make(c, 192, 1, 7),
    ]
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    .joined([
      single(x), seven.reduce(x) { $1($0) }, double.reduce(x) { $1($0) }, pool(x.averagePooled3()),
    ])
  }

  mutating func forEachConvolution(
    _ body: (String, inout InferenceConvolution) throws -> Void
  ) rethrows {
    try body("branch1x1", &single)
    for index in seven.indices { try body("branch7x7_\(index + 1)", &seven[index]) }
    for index in double.indices { try body("branch7x7dbl_\(index + 1)", &double[index]) }
    try body("branch_pool", &pool)
  }
}

/// From 17×17 to 8×8 positions.
struct InceptionD: FoldingLayer {
  private var three1, three2: InferenceConvolution
  private var seven: [InferenceConvolution]

  init(_ inputs: Int, _ make: InceptionConvolutions) {
    (three1, three2) = (make(inputs, 192), make(192, 320, 3, stride: 2))
    seven = [
      make(inputs, 192), make(192, 192, 1, 7), make(192, 192, 7, 1), make(192, 192, 3, stride: 2),
    ]
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    .joined([three2(three1(x)), seven.reduce(x) { $1($0) }, x.maxPooled3()])
  }

  mutating func forEachConvolution(
    _ body: (String, inout InferenceConvolution) throws -> Void
  ) rethrows {
    try body("branch3x3_1", &three1)
    try body("branch3x3_2", &three2)
    for index in seven.indices { try body("branch7x7x3_\(index + 1)", &seven[index]) }
  }
}

/// 8×8 positions: 1×1, 3×3 and two 3×3 that fork into rows and columns, pooling.
struct InceptionE: FoldingLayer {
  private var single, three1, threeAcross, threeDown: InferenceConvolution
  private var double1, double2, doubleAcross, doubleDown, pool: InferenceConvolution
  private let takesMaximum: Bool

  /// - Parameter takesMaximum: as the last block of the published graph does.
  init(_ inputs: Int, takesMaximum: Bool, _ make: InceptionConvolutions) {
    (single, pool) = (make(inputs, 320), make(inputs, 192))
    (three1, threeAcross, threeDown) = (
      make(inputs, 384), make(384, 384, 1, 3), make(384, 384, 3, 1)
    )
    (double1, double2) = (make(inputs, 448), make(448, 384, 3))
    (doubleAcross, doubleDown) = (make(384, 384, 1, 3), make(384, 384, 3, 1))
    self.takesMaximum = takesMaximum
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    let three = three1(x)
    let double = double2(double1(x))
    let pooled =
      takesMaximum ? x.maxPooled(.centred(height: 3, width: 3)) : x.averagePooled3()
    return .joined([
      single(x), threeAcross(three), threeDown(three), doubleAcross(double), doubleDown(double),
      pool(pooled),
    ])
  }

  mutating func forEachConvolution(
    _ body: (String, inout InferenceConvolution) throws -> Void
  ) rethrows {
    try body("branch1x1", &single)
    try body("branch3x3_1", &three1)
    try body("branch3x3_2a", &threeAcross)
    try body("branch3x3_2b", &threeDown)
    try body("branch3x3dbl_1", &double1)
    try body("branch3x3dbl_2", &double2)
    try body("branch3x3dbl_3a", &doubleAcross)
    try body("branch3x3dbl_3b", &doubleDown)
    try body("branch_pool", &pool)
  }
}
