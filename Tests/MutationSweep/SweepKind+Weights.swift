// Weights of other programs, and what comes with them.
import Checkpoints
import DurableFiles
import Foundation
import TamingCheckpoints
import TestSupport

extension SweepKind {
  static let safetensors = SweepKind(
    name: "safetensors", files: ["pytorch-views.safetensors"],
    make: { try copyFixture("pytorch-views.safetensors", to: $0) },
    read: { path, _ in try understood(try CheckpointFile.open(path)) },
    commands: ["convert-checkpoint @ --out ../out"])

  static let pytorchArchive = SweepKind(
    name: "PyTorch archive", files: archives,
    share: 2, isChecked: true,
    make: { folder in for name in archives { try copyFixture(name, to: folder) } },
    read: { path, _ in try understood(pyTorch: path) },
    commands: [
      "convert-checkpoint @ --out ../out --verbose",
      "convert-checkpoint @ --optimizer --out ../out",
      "convert-checkpoint @ \(Fixture.path("lpips-vgg.pth")) --out ../out",
    ])

  private static let streams = ["pytorch-views-legacy.pt", "lpips-vgg.pth"]
  private static let archives = ["pytorch-views.pt", "pytorch-adamw.pt"]

  static let pytorchStream = SweepKind(
    name: "PyTorch stream", files: streams, share: 2,
    make: { folder in for name in streams { try copyFixture(name, to: folder) } },
    read: { path, _ in try understood(pyTorch: path) },
    commands: ["convert-checkpoint @ --out ../out --verbose"])

  static let numpy = SweepKind(
    name: "NumPy list", files: ["remap.npy"], share: 0.5,
    make: { folder in
      let header = "{'descr': '<i8', 'fortran_order': False, 'shape': (24,), }"
      let padded = header.padding(toLength: 117, withPad: " ", startingAt: 0) + "\n"
      let codes = (0..<24).flatMap { code in (0..<8).map { $0 == 0 ? UInt8(code * 2) : 0 } }
      try DurableFile.write(
        [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(padded.utf8.count), 0] + Array(padded.utf8)
          + codes, to: "\(folder)/remap.npy")
    },
    read: { path, _ in "\(try NumPyFile(path).integers)" },
    commands: ["convert-checkpoint \(Fixture.path("vqgan-tiny.ckpt")) --remap @ --out ../out"])

  static let statistics = SweepKind(
    name: "statistics", files: ["statistics.npz"], share: 0.5, isChecked: true,
    make: { try copyFixture("metrics/statistics.npz", to: $0) },
    read: { path, _ in "\(try StatisticsFile(path))" },
    commands: ["evaluate @ @ --metrics fid --quiet"])

  static let project = SweepKind(
    name: "project file", files: ["project.yaml"],
    make: { folder in
      try write(
        """
        \(Fixture.project)
        data: &data
          params: {train: {params: {size: 208}}}
        validation: *data
        """, to: "\(folder)/project.yaml")
    },
    read: { path, _ in
      try understood(Fixture.path("vqgan-tiny.ckpt"), project: try TamingProject(path))
    },
    commands: ["convert-checkpoint \(Fixture.path("vqgan-tiny.ckpt")) --project @ --out ../out"])

  /// Project files in the words of Lightning's command line, as SEED-Voken has them.
  static let classPath = SweepKind(
    name: "class_path file", files: ["ibq-16384.yaml", "open-magvit2.yaml"], share: 0.5,
    make: { folder in
      for name in ["ibq-16384.yaml", "open-magvit2.yaml"] {
        try copyFixture("tokenizers/\(name)", to: folder)
      }
    },
    read: { path, _ in
      let weights = path.hasSuffix("magvit2.yaml") ? "open-magvit2" : "ibq-16384"
      return try understood(
        Fixture.path("tokenizers/\(weights).ckpt"), project: try TamingProject(path))
    },
    commands: ["ibq-16384", "open-magvit2"].map {
      "convert-checkpoint \(Fixture.path("tokenizers/\($0).ckpt")) --project @ --out ../out"
    })

  /// config.json of a model of diffusers, which must say what its weights show.
  static let diffusers = SweepKind(
    name: "diffusers configuration", files: ["model/config.json"], share: 0.5,
    make: { folder in
      try DurableFile.createFolder("\(folder)/model")
      for name in ["config.json", "diffusion_pytorch_model.bin"] {
        try copyFixture("tokenizers/diffusers-ldm-f4/\(name)", to: "\(folder)/model")
      }
    },
    read: { _, folder in try understood("\(folder)/model", project: nil) },
    commands: ["convert-checkpoint model --out ../out"])

  /// The configuration of a model by its weights and its project file.
  private static func understood(_ weights: String, project: TamingProject?) throws -> String {
    switch try TamingCheckpoint(try CheckpointFile.open(weights), project: project) {
    case .firstStage(let weights): "\(weights.config)"
    case let other: other.title
    }
  }

  /// Names, shapes and contents.
  private static func understood(_ source: any TensorSource) throws -> String {
    try source.names.map { name in
      let bytes = try source.withBytes(of: name, digest)
      return "\(name) \(try source.type(of: name)) \(try source.shape(of: name)) \(bytes)"
    }.joined(separator: "\n")
  }

  private static func understood(pyTorch path: String) throws -> String {
    let text = try understood(try CheckpointFile.open(path))
    guard let file = try CheckpointFile.openAsItIs(path) as? PyTorchFile else { return text }
    for name in file.names { _ = try? file.floats(of: name) }
    return "\(text)\n\(file.optimizers.map { $0.sorted { $0.key < $1.key } })"
  }
}
