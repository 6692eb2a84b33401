// swift-tools-version: 6.1
import PackageDescription

// The trait `LibDeflate` brings faster shard compression (libdeflate-dev); `swift build --disable-default-traits` needs
// libpng, libjpeg and HDF5 alone.

let argumentParser: Target.Dependency = .product(
  name: "ArgumentParser", package: "swift-argument-parser")

/// The commands, in the order in which they are used, and the modules of each; each is one folder of `Sources`.
let commands: KeyValuePairs<String, [Target.Dependency]> = [
  "prep-coco": ["Ingest"],
  "prep-atari": ["Ingest"],
  "prep-images": ["Ingest", "Images", "DurableFiles"],
  "train-vqgan": ["ModelCommands", "Training", "Models", "TensorCore", "Shards", "DurableFiles"],
  "reconstruct": ["ModelCommands", "Training", "Ingest", "Shards", "Images"],
  "encode-dataset": ["ModelCommands", "Training", "TensorCore", "Shards"],
  "codebook-report": ["ModelCommands", "Training", "Shards", "Images", "DurableFiles"],
  "train-gpt": ["ModelCommands", "Training", "Models", "TensorCore", "Shards"],
  "sample-gpt": [
    "ModelCommands", "Training", "Models", "TensorCore", "Shards", "Images", "DurableFiles",
  ],
  "shard-info": ["Images", "Shards", "DurableFiles", "RowMaps"],
  "convert-checkpoint": [
    "ModelCommands", "Training", "TamingCheckpoints", "Models", "Checkpoints", "Checksums",
    "DurableFiles",
  ],
  "bench": [
    "ModelCommands", "Training", "Models", "NN", "TensorCore", "Shards", "DurableFiles",
  ],
]

/// Scripts beside the tests, by the name of what they check.
let checks = [
  "Checkpoints": [
    "check_checkpoint.py", "check_unsafe_pickles.py", "check_pytorch_files.py",
    "check_with_safetensors.py", "check_with_torch.py",
  ],
  "Images": ["check_with_pillow.py"], "Shards": ["check_with_h5py.py"],
  "Training": ["check_with_tensorboard.py"],
]

let package = Package(
  name: "swift-vqgan",
  products: commands.map { .executable(name: $0.key, targets: [$0.key]) },
  traits: [
    .default(enabledTraits: ["LibDeflate"]),
    .trait(name: "LibDeflate", description: "Shard compression by libdeflate instead of zlib."),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    // System libraries
    .systemLibrary(name: "CHDF5", pkgConfig: "hdf5", providers: [.apt(["libhdf5-dev"])]),
    .systemLibrary(name: "CJPEG", pkgConfig: "libjpeg", providers: [.apt(["libjpeg-dev"])]),
    .systemLibrary(name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),
    .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libhdf5-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["libhdf5-dev"])]),
    .systemLibrary(
      name: "CDeflate", pkgConfig: "libdeflate", providers: [.apt(["libdeflate-dev"])]),

    // C
    .target(name: "CKernels", linkerSettings: [.linkedLibrary("m")]),
    .target(name: "CImageCodecs", dependencies: ["CJPEG", "CPNG", "CZlib"]),
    .target(name: "COpenat2"),
    .target(
      name: "CChunkCodec",
      dependencies: ["CZlib", .target(name: "CDeflate", condition: .when(traits: ["LibDeflate"]))],
      cSettings: [.define("HAS_LIBDEFLATE", .when(traits: ["LibDeflate"]))],
      linkerSettings: [.linkedLibrary("deflate", .when(traits: ["LibDeflate"]))]),
    .target(name: "CAnnotations"),
    .target(name: "CShardGuard", dependencies: ["CHDF5"]),

    // What rows are, for files and for models
    .target(name: "RowMaps"),

    // The engine and the models
    .target(name: "TensorCore", dependencies: ["CKernels"]),
    .target(name: "NN", dependencies: ["TensorCore"]),
    .target(name: "Models", dependencies: ["NN", "RowMaps", "TensorCore"]),

    // Files
    .target(name: "DurableFiles", dependencies: ["COpenat2", "Checksums"]),
    .target(name: "Checksums", dependencies: ["CCrypto", "CChunkCodec"]),
    .target(name: "Images", dependencies: ["CImageCodecs", "DurableFiles", "RowMaps"]),
    .target(
      name: "Shards",
      dependencies: [
        "CHDF5", "CShardGuard", "CChunkCodec", "Checksums", "DurableFiles", "RowMaps",
      ]),
    .target(name: "Checkpoints", dependencies: ["Checksums", "DurableFiles", "TensorCore"]),
    .target(name: "Corpora", dependencies: ["CAnnotations", "DurableFiles"]),
    .target(
      name: "Ingest",
      dependencies: [
        "Corpora", "Images", "Shards", "Checksums", "DurableFiles", "RowMaps", argumentParser,
      ]),

    .target(
      name: "TamingCheckpoints",
      dependencies: [
        "Models", "NN", "Checkpoints", "DurableFiles", .product(name: "Yams", package: "Yams"),
      ]),

    // Loops and commands
    .target(
      name: "Training",
      dependencies: [
        "Models", "NN", "TensorCore", "Checkpoints", "TamingCheckpoints", "Shards", "Images",
        "Checksums", "DurableFiles", "RowMaps",
      ]),
    .target(
      name: "CommandSupport",
      dependencies: [
        "Ingest", "Corpora", "Shards", "Images", "DurableFiles", argumentParser,
      ]),
    .target(
      name: "ModelCommands",
      dependencies: [
        "CommandSupport", "Training", "Models", "TamingCheckpoints", "Checkpoints", "TensorCore",
        argumentParser,
      ]),
  ]
    + commands.map { name, modules in
      .executableTarget(
        name: name, dependencies: modules + ["CommandSupport", argumentParser])
    }
    + [
      .executableTarget(
        name: "command-probe",
        dependencies: [
          "ModelCommands", "CommandSupport", "Checkpoints", "TensorCore", "DurableFiles",
          argumentParser,
        ],
        path: "Tests/CommandProbe"),
      .executableTarget(
        name: "mutation-sweep",
        dependencies: [
          "ModelCommands", "CommandSupport", "Training", "TamingCheckpoints", "Models",
          "TensorCore", "Checkpoints", "Shards", "Images", "Corpora", "DurableFiles", "RowMaps",
          "CHDF5", "TestSupport", argumentParser,
        ],
        path: "Tests/MutationSweep"),
      .target(
        name: "TestSupport",
        dependencies: ["TensorCore", "NN", "Checkpoints", "RowMaps", "Shards"],
        path: "Tests/TestSupport"),
    ]
    + [
      ("CKernels", ["CKernels"]), ("TensorCore", ["TensorCore"]), ("NN", ["NN", "TensorCore"]),
      ("Models", ["Models", "NN", "TensorCore", "Checkpoints"]),
      ("DurableFiles", ["DurableFiles"]), ("Checksums", ["Checksums"]),
      ("Images", ["Images", "RowMaps"]),
      ("Shards", ["Shards", "CHDF5", "RowMaps"]), ("Checkpoints", ["Checkpoints", "TensorCore"]),
      ("TamingCheckpoints", ["TamingCheckpoints", "Checkpoints", "Models", "NN", "TensorCore"]),
      ("Corpora", ["Corpora", "CAnnotations"]),
      ("Ingest", ["Ingest", "Corpora", "Images", "Shards", "RowMaps"]),
      (
        "Training",
        [
          "Training", "Models", "NN", "TensorCore", "Checkpoints", "TamingCheckpoints", "Shards",
          "Images", "RowMaps",
        ]
      ),
      ("CommandSupport", ["CommandSupport"]),
      ("Command", ["CommandSupport", "Shards", "Images", "Checkpoints", "Training", "Models"]),
    ].map { (name: String, modules: [String]) in
      .testTarget(
        name: "\(name)Tests",
        dependencies: modules.map { .init(stringLiteral: $0) } + ["TestSupport"],
        path: "Tests/\(name)Tests", exclude: checks[name] ?? [])
    },
  swiftLanguageModes: [.v6]
)
