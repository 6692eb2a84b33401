// config.json of a model of diffusers.

import Checkpoints
import DurableFiles
import Foundation
import Models

/// What `save_pretrained` wrote beside the weights of a VQModel.
struct DiffusersConfig: Sendable {
  let path: String
  /// The nominal side of images.
  let sampleSize: Int?
  /// Whether black and white are 0 and 1: of aMUSEd's models, the only ones that look codes up.
  let isUnit: Bool
  private let integers: [String: Int]
  private let lists: [String: [Int]]
  private let types: [String: [String]]
  private let attendsInMiddle: Bool

  private static let integerKeys: Set = [
    "in_channels", "out_channels", "layers_per_block", "latent_channels", "num_vq_embeddings",
    "vq_embed_dim", "norm_num_groups",
  ]
  private static let otherKeys: Set = [
    "block_out_channels", "down_block_types", "up_block_types", "act_fn", "sample_size",
    "norm_type", "mid_block_add_attention", "lookup_from_codebook",
    // Of no matter to codes and images.
    "scaling_factor", "force_upcast",
  ]

  /// - Throws: `ArchitectureError`, `DurableFileError`.
  init(beside weights: String) throws {
    let path = "\(DurableFile.folder(of: weights))/config.json"
    guard DurableFile.exists(path) else {
      throw ArchitectureError.unsupported(
        path: weights,
        problem: "a model of diffusers without its config.json; put it into the same folder")
    }
    self.path = path
    func wrong(_ problem: String) -> ArchitectureError { .project(path: path, problem: problem) }
    let data = Data(try DurableFile.read(path, atMost: 1 << 20))
    guard let json = try? JSONSerialization.jsonObject(with: data) as? [String: Any] else {
      throw wrong("no JSON object; expected the config.json of a VQModel of diffusers")
    }
    let name = json["_class_name"] as? String ?? "(none)"
    guard name == "VQModel" else {
      throw wrong("_class_name is \(name); of the models of diffusers only VQModel is known here")
    }
    for key in json.keys.sorted() where !key.hasPrefix("_") {
      guard Self.integerKeys.contains(key) || Self.otherKeys.contains(key) else {
        throw wrong("\(key) is not known here, so nobody knows what it changes")
      }
    }
    /// A value of a type, nil where it is missing or null.
    func value<Value>(_ key: String, _ type: Value.Type) throws -> Value? {
      guard let found = json[key], !(found is NSNull) else { return nil }
      guard let value = found as? Value else { throw wrong("\(key) is no \(type)") }
      return value
    }
    // What weights do not show, and the only values that are supported.
    let activation = try value("act_fn", String.self) ?? "silu"
    guard ["silu", "swish"].contains(activation) else {
      throw wrong("act_fn is \(activation); only silu is supported")
    }
    let norm = try value("norm_type", String.self) ?? "group"
    guard norm == "group" else {
      throw wrong(
        "norm_type is \(norm); only group is supported, not the spatial normalisation of MoVQ")
    }
    let groups = try value("norm_num_groups", Int.self) ?? 32
    guard groups == 32 else {
      throw wrong("norm_num_groups is \(groups); only 32 groups are supported")
    }
    var integers: [String: Int] = [:]
    for key in Self.integerKeys where key != "norm_num_groups" {
      integers[key] = try value(key, Int.self)
    }
    self.integers = integers
    lists = try value("block_out_channels", [Int].self).map { ["block_out_channels": $0] } ?? [:]
    var types: [String: [String]] = [:]
    for key in ["down_block_types", "up_block_types"] { types[key] = try value(key, [String].self) }
    self.types = types
    attendsInMiddle = try value("mid_block_add_attention", Bool.self) ?? true
    isUnit = try value("lookup_from_codebook", Bool.self) ?? false
    let size = (json["sample_size"] as? [Int])?.first ?? (json["sample_size"] as? Int)
    sampleSize = size.flatMap { (1...1 << 20).contains($0) ? $0 : nil }
  }

  /// - Throws: `ArchitectureError.contradiction` at the first key that says something else than the
  ///   weights.
  func compare(with config: VQGANConfig, of weights: some TensorSource) throws {
    func require(_ key: String, _ found: String?, _ expected: String) throws {
      guard let found, found != expected else { return }
      throw ArchitectureError.contradiction(
        project: path, key: key, found: found, path: weights.path, weights: expected)
    }
    let expected = [
      ("in_channels", config.inChannels), ("out_channels", config.outChannels),
      ("layers_per_block", config.numResBlocks), ("latent_channels", config.zChannels),
      ("num_vq_embeddings", config.nEmbed), ("vq_embed_dim", config.embedDim),
    ]
    for (key, value) in expected {
      try require(key, integers[key].map { "\($0)" }, "\(value)")
    }
    try require(
      "block_out_channels", lists["block_out_channels"].map { "\($0)" },
      "\(config.chMult.map { $0 * config.ch })")
    let attends = config.chMult.indices.map {
      config.attnResolutions.contains(config.resolution >> $0)
    }
    try require(
      "down_block_types", types["down_block_types"].map { "\($0)" },
      "\(attends.map { $0 ? "AttnDownEncoderBlock2D" : "DownEncoderBlock2D" })")
    try require(
      "up_block_types", types["up_block_types"].map { "\($0)" },
      "\(attends.reversed().map { $0 ? "AttnUpDecoderBlock2D" : "UpDecoderBlock2D" })")
    try require("mid_block_add_attention", "\(attendsInMiddle)", "\(config.attendsInMiddle)")
  }
}
