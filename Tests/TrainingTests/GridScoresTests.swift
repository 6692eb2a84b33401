// Bits of codes against the model's probabilities, and their mean against a validation.
import Checkpoints
import Foundation
import Models
import Shards
import TensorCore
import TestSupport
import Testing
import Training

@Suite("Bits of codes under a GPT") struct GridScoresTests {
  /// How codes stand in their sequence.
  struct Form: CustomTestStringConvertible, Sendable {
    var order = TokenOrder.raster
    var depth = 1
    var hasLabel = false
    var subVocabulary: Int?

    var testDescription: String { "\(self)" }
  }

  private static let codebook = 11

  /// A shard of five grids of 4×4 codes, and a checkpoint of a GPT of large random weights.
  private static func stage(_ form: Form, in folder: TemporaryFolder) throws -> GPT {
    var random = RandomSource(seed: 4)
    try codeShard(
      folder("codes.h5"), rows: 5, grid: (4, 4), codebook: codebook, fingerprint: "f00d",
      labels: [("room", .int32([0, 2, 1, 2, 0]))], depth: form.depth
    ) { _ in
      ((0..<16).map { _ in Int32.random(in: 0..<Int32(codebook), using: &random) }, nil)
    }
    let condition =
      form.hasLabel
      ? GPTCondition(.label(LabelCondition(vocabulary: 3, column: "room"))) : nil
    var model = GPT(
      try GPTConfig(
        vocabSize: codebook, blockSize: 16, layers: 2, heads: 2, width: 12,
        subVocabulary: form.subVocabulary), using: &random)
    model.visitParameters { _, tensor in
      tensor = tensor.detached() + random.normal(tensor.shape, deviation: 0.5)
    }
    let description = GPTDescription(
      model: model.config,
      codes: CodeGrid(
        height: 4, width: 4, codebookSize: codebook, fingerprint: "f00d", depth: form.depth),
      condition: condition, order: form.order == .raster ? nil : form.order)
    try RunFolder.write(description, to: folder("model.json"))
    try SafetensorsWriter.write(ModelFiles.entries(model), to: folder("model.safetensors"))
    return model
  }

  @Test(
    arguments: [
      Form(), Form(order: .zCurve), Form(order: .spiralOut, hasLabel: true), Form(depth: 2),
      Form(subVocabulary: 4), Form(hasLabel: true, subVocabulary: 5),
    ])
  func bitsAreThoseOfTheModelAndTheirMeanIsTheValidation(form: Form) throws {
    let folder = try TemporaryFolder()
    let model = try Self.stage(form, in: folder)
    let shards = try CodeShardSet([folder("codes.h5")])
    let gpt = try SecondStage.load(folder.path)
    let scorer = try GridScorer(gpt, of: shards)
    let maps = try scorer.bits(of: [0, 1]) + scorer.bits(of: [2, 3, 4])

    let cells = form.order.cells(of: GridSize(height: 4, width: 4))
    for row in 0..<5 {
      let codes = try shards.codes(row)
      let first: Int32 = form.hasLabel ? [0, 2, 1, 2, 0][row] : 0
      let input = [first] + cells.dropLast().map { codes[$0] }
      let logits = model(IndexTensor(input, shape: [1, 16])).elements().map(Double.init)
      for (position, cell) in cells.enumerated() {
        let own = logits[position * Self.codebook..<(position + 1) * Self.codebook]
        // Those of tokens of two parts are logarithms of probabilities.
        let sum = form.subVocabulary == nil ? own.reduce(0) { $0 + exp($1) } : 1
        let bits = (log(sum) - own[own.startIndex + Int(codes[cell])]) / log(2)
        #expect(abs(Double(maps[row][cell]) - bits) < 1e-4 * max(bits, 1), "\(row) \(cell)")
      }
    }

    let data = GPTData(
      codes: try CodeTable(shards, order: form.order) {},
      conditions: try gpt.condition?.table(of: shards))
    let loss = try #require(
      try GPTTrainer(model, weightDecay: 0).validate(data, rows: Array(0..<5), batchSize: 2))
    let summary = ScoreSummary(
      maps.map { GridScore(shard: "", row: 0, id: 0, name: "", map: $0, depth: form.depth) })
    #expect(abs(summary.loss - loss) < 1e-6 * loss, "\(summary.loss) \(loss)")
  }

  @Test func positionsHaveTheBitsOfTheirCodes() {
    let score = GridScore(
      shard: "s.h5", row: 3, id: 7, name: "n", map: [1, 2, 0.5, 4, 0, 0], depth: 2)
    #expect(score.positions == [3, 4.5, 0])
    #expect(score.maxBits == 4.5 && score.bits == 7.5 && score.bitsPerCode == 1.25)
    #expect(score.text == "7.50 1.2500 4.50 s.h5 3 n")
  }

  @Test func otherCodesAndMissingConditionsAreRefused() throws {
    let folder = try TemporaryFolder()
    _ = try Self.stage(Form(hasLabel: true), in: folder)
    let gpt = try SecondStage.load(folder.path)
    for (name, fingerprint, side) in [("a", "beef", 4), ("b", "f00d", 3), ("c", "f00d", 4)] {
      try codeShard(
        folder("\(name).h5"), rows: 1, grid: (side, side), codebook: Self.codebook,
        fingerprint: fingerprint
      ) { _ in (Array(repeating: 1, count: side * side), nil) }
    }
    #expect(throws: CodesMismatch.self) {
      try GridScorer(gpt, of: try CodeShardSet([folder("a.h5")]))
    }
    #expect(throws: CodesMismatch.self) {
      try GridScorer(gpt, of: try CodeShardSet([folder("b.h5")]))
    }
    #expect(throws: ConditionError.self) {
      try GridScorer(gpt, of: try CodeShardSet([folder("c.h5")]))
    }
  }
}
