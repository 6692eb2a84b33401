// What the VQGAN is trained for.
import Models
import TensorCore

/// Weights and switches of the training objective; keys are those of the published configurations.
package struct VQGANObjective: Codable, Equatable, Sendable {
  /// What the discriminator's own pass sees.
  package enum DiscriminatorPass: String, Codable, CaseIterable, Sendable {
    /// The reconstruction of the generator's pass: one forward pass serves both (half the work).
    case shared
    /// A second forward pass of the generator that was just updated, as the reference does.
    case fresh
  }

  package var codebookWeight: Float
  package var l1Weight: Float  // of the mean |x - x̂|, the published pixel loss
  package var l2Weight: Float  // of the mean (x - x̂)²
  package var worstWeight: Float = 0  // of the mean (x - x̂)² where it is largest in an image
  package var worstFraction: Float = 0.01  // of the values of an image that count there
  package var changeWeight: Float = 0  // added to the weight 1 of pixels that are no background
  package var perceptualWeight: Float  // without effect when there is no perceptual network
  package var discStart: Int  // step from which the discriminator and its loss take part
  package var discWeight: Float
  package var discRamp = 0  // steps in which the generator's adversarial loss comes in
  package var discFactor: Float
  package var discLoss: DiscriminatorLoss
  package var genLoss = GeneratorLoss.hinge
  package var lecamWeight: Float = 0  // of the discriminator's `LeCAM`
  package var discriminator: DiscriminatorConfig
  package var discriminatorPass: DiscriminatorPass
  package var adamBeta1: Float  // of both optimizers
  package var adamBeta2: Float
  package var freeze: [VQGANPart] = []  // parts that stay as they are
  /// Weights of labels in the cross-entropy of their softmax; without them label maps have the
  /// reference's binary cross-entropy.
  package var labelWeights: [Float] = []

  package init(
    codebookWeight: Float = 1, l1Weight: Float = 1, l2Weight: Float = 0,
    perceptualWeight: Float = 1, discStart: Int = 10_000, discWeight: Float = 0.8,
    discFactor: Float = 1, discLoss: DiscriminatorLoss = .hinge,
    discriminator: DiscriminatorConfig = .init(), discriminatorPass: DiscriminatorPass = .shared,
    adamBeta1: Float = 0.5, adamBeta2: Float = 0.9
  ) {
    self.codebookWeight = codebookWeight
    self.l1Weight = l1Weight
    self.l2Weight = l2Weight
    self.perceptualWeight = perceptualWeight
    self.discStart = discStart
    self.discWeight = discWeight
    self.discFactor = discFactor
    self.discLoss = discLoss
    self.discriminator = discriminator
    self.discriminatorPass = discriminatorPass
    self.adamBeta1 = adamBeta1
    self.adamBeta2 = adamBeta2
  }

  enum CodingKeys: String, CodingKey {
    case discriminator, freeze
    case codebookWeight = "codebook_weight"
    case l1Weight = "l1_weight"
    case l2Weight = "l2_weight"
    case worstWeight = "worst_weight"
    case worstFraction = "worst_fraction"
    case changeWeight = "change_weight"
    case perceptualWeight = "perceptual_weight"
    case discStart = "disc_start"
    case discWeight = "disc_weight"
    case discRamp = "disc_ramp"
    case discFactor = "disc_factor"
    case discLoss = "disc_loss"
    case genLoss = "gen_loss"
    case labelWeights = "label_weights"
    case lecamWeight = "lecam_weight"
    case discriminatorPass = "discriminator_pass"
    case adamBeta1 = "adam_beta1"
    case adamBeta2 = "adam_beta2"
  }
}

extension VQGANObjective {
  /// Reads an objective; keys of later versions may be missing, as in the files of earlier ones.
  package init(from decoder: any Swift.Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      codebookWeight: try values.decode(Float.self, forKey: .codebookWeight),
      l1Weight: try values.decode(Float.self, forKey: .l1Weight),
      l2Weight: try values.decode(Float.self, forKey: .l2Weight),
      perceptualWeight: try values.decode(Float.self, forKey: .perceptualWeight),
      discStart: try values.decode(Int.self, forKey: .discStart),
      discWeight: try values.decode(Float.self, forKey: .discWeight),
      discFactor: try values.decode(Float.self, forKey: .discFactor),
      discLoss: try values.decode(DiscriminatorLoss.self, forKey: .discLoss),
      discriminator: try values.decode(DiscriminatorConfig.self, forKey: .discriminator),
      discriminatorPass: try values.decode(DiscriminatorPass.self, forKey: .discriminatorPass),
      adamBeta1: try values.decode(Float.self, forKey: .adamBeta1),
      adamBeta2: try values.decode(Float.self, forKey: .adamBeta2))
    worstWeight = try values.decodeIfPresent(Float.self, forKey: .worstWeight) ?? worstWeight
    worstFraction = try values.decodeIfPresent(Float.self, forKey: .worstFraction) ?? worstFraction
    changeWeight = try values.decodeIfPresent(Float.self, forKey: .changeWeight) ?? changeWeight
    discRamp = try values.decodeIfPresent(Int.self, forKey: .discRamp) ?? discRamp
    genLoss = try values.decodeIfPresent(GeneratorLoss.self, forKey: .genLoss) ?? genLoss
    lecamWeight = try values.decodeIfPresent(Float.self, forKey: .lecamWeight) ?? lecamWeight
    freeze = try values.decodeIfPresent([VQGANPart].self, forKey: .freeze) ?? freeze
    labelWeights = try values.decodeIfPresent([Float].self, forKey: .labelWeights) ?? labelWeights
  }

  /// How much of the generator's adversarial loss counts at a step, 0...1.
  ///
  /// It grows in equal parts from 0 at `disc_start`, where the discriminator still knows nothing;
  /// the reference has it all at once.
  package func ramp(at step: Int) -> Float {
    guard discRamp > 0 else { return 1 }
    return min(max(Float(step - discStart) / Float(discRamp), 0), 1)
  }

  /// What makes this objective impossible, in a sentence; `nil` if it can be trained for.
  package var problem: String? {
    let weights = [
      ("codebook_weight", codebookWeight), ("l1_weight", l1Weight), ("l2_weight", l2Weight),
      ("perceptual_weight", perceptualWeight), ("disc_weight", discWeight),
      ("disc_factor", discFactor), ("worst_weight", worstWeight), ("lecam_weight", lecamWeight),
      ("change_weight", changeWeight),
    ]
    for (key, weight) in weights where !(weight >= 0 && weight.isFinite) {
      return "\(key) is \(weight); it must not be negative"
    }
    for (key, beta) in [("adam_beta1", adamBeta1), ("adam_beta2", adamBeta2)]
    where !(0..<1).contains(beta) {
      return "\(key) is \(beta); it needs 0 up to 1"
    }
    if !(0...1).contains(worstFraction) {
      return "worst_fraction is \(worstFraction); it needs 0 to 1"
    }
    if !labelWeights.allSatisfy({ $0 >= 0 && $0.isFinite }) {
      return "label_weights holds \(labelWeights); they must not be negative"
    }
    if discRamp < 0 { return "disc_ramp is \(discRamp); it must not be negative" }
    if Set(freeze) == Set(VQGANPart.allCases) { return "freeze names every part" }
    if discStart < 0 { return "disc_start is \(discStart); it must not be negative" }
    if !(1...4096).contains(discriminator.ndf) {
      return "discriminator.ndf is \(discriminator.ndf), expected 1...4096"
    }
    if !(1...16).contains(discriminator.nLayers) {
      return "discriminator.n_layers is \(discriminator.nLayers), expected 1...16"
    }
    return nil
  }

  /// How far a reconstruction is from what was read, a scalar: the pixel loss and that of the worst
  /// pixels, or the cross-entropy of label maps.
  package func reconstructionLoss(_ reconstruction: Tensor, of input: VQGANInput) -> Tensor {
    reconstructionLosses(reconstruction, of: input).sum
  }

  /// The same, and that of the worst pixels alone where it counts.
  ///
  /// - Parameter changed: 1 for pixels that `change_weight` counts for and 0 for others,
  ///   `[N, H, W]`; nil for all alike.
  func reconstructionLosses(
    _ reconstruction: Tensor, of input: VQGANInput, changed: [UInt8]? = nil
  ) -> (sum: Tensor, worst: Tensor?) {
    switch input {
    case .labels(let labels):
      let loss =
        labelWeights.isEmpty
        ? reconstruction.labelCrossEntropy(labels)
        : reconstruction.labelCrossEntropy(labels, weights: labelWeights)
      return (loss, nil)
    case .values(let images):
      let weights =
        changeWeight > 0
        ? changed.map {
          Tensor(weighing: $0, by: changeWeight, of: images.shape, on: images.device)
        } : nil
      let all = pixelLoss(reconstruction, images, weights: weights)
      guard worstWeight > 0 else { return (all, nil) }
      let worst = reconstruction.worstPixelLoss(from: images, fraction: worstFraction)
      return (all + worstWeight * worst, worst)
    }
  }

  /// The weighted sum of |x - x̂| and (x - x̂)², means over everything, a scalar.
  ///
  /// - Parameter weights: of the values of the images, of their shape; nil for all alike.
  package func pixelLoss(
    _ reconstruction: Tensor, _ images: Tensor, weights: Tensor? = nil
  ) -> Tensor {
    let absolute =
      l1Weight
      * (weights.map { reconstruction.meanAbsoluteDifference(from: images, weights: $0) }
        ?? reconstruction.meanAbsoluteDifference(from: images))
    guard l2Weight > 0 else { return absolute }
    let squared =
      l2Weight
      * (weights.map { reconstruction.meanSquaredDifference(from: images, weights: $0) }
        ?? reconstruction.meanSquaredDifference(from: images))
    return l1Weight > 0 ? absolute + squared : squared
  }
}
