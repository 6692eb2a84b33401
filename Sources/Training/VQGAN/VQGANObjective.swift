// What the VQGAN is trained for.
import Models

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
  package var perceptualWeight: Float  // without effect when there is no perceptual network
  package var discStart: Int  // step from which the discriminator and its loss take part
  package var discWeight: Float
  package var discFactor: Float
  package var discLoss: DiscriminatorLoss
  package var discriminator: DiscriminatorConfig
  package var discriminatorPass: DiscriminatorPass
  package var adamBeta1: Float  // of both optimizers
  package var adamBeta2: Float

  package init(
    codebookWeight: Float = 1, perceptualWeight: Float = 1, discStart: Int = 10_000,
    discWeight: Float = 0.8, discFactor: Float = 1, discLoss: DiscriminatorLoss = .hinge,
    discriminator: DiscriminatorConfig = .init(), discriminatorPass: DiscriminatorPass = .shared,
    adamBeta1: Float = 0.5, adamBeta2: Float = 0.9
  ) {
    self.codebookWeight = codebookWeight
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

  enum CodingKeys: String, CodingKey, CaseIterable {
    case discriminator
    case codebookWeight = "codebook_weight"
    case perceptualWeight = "perceptual_weight"
    case discStart = "disc_start"
    case discWeight = "disc_weight"
    case discFactor = "disc_factor"
    case discLoss = "disc_loss"
    case discriminatorPass = "discriminator_pass"
    case adamBeta1 = "adam_beta1"
    case adamBeta2 = "adam_beta2"
  }

  package init(from decoder: any Swift.Decoder) throws {
    try decoder.refuseUnknownKeys(CodingKeys.self)
    let values = try decoder.container(keyedBy: CodingKeys.self)
    codebookWeight = try values.decode(Float.self, forKey: .codebookWeight)
    perceptualWeight = try values.decode(Float.self, forKey: .perceptualWeight)
    discStart = try values.decode(Int.self, forKey: .discStart)
    discWeight = try values.decode(Float.self, forKey: .discWeight)
    discFactor = try values.decode(Float.self, forKey: .discFactor)
    discLoss = try values.decode(DiscriminatorLoss.self, forKey: .discLoss)
    discriminator = try values.decode(DiscriminatorConfig.self, forKey: .discriminator)
    discriminatorPass = try values.decode(DiscriminatorPass.self, forKey: .discriminatorPass)
    adamBeta1 = try values.decode(Float.self, forKey: .adamBeta1)
    adamBeta2 = try values.decode(Float.self, forKey: .adamBeta2)
  }
}
