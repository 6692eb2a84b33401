// swift-tools-version: 6.1
import PackageDescription

// The trait `LibDeflate` brings faster shard compression (libdeflate-dev); `swift build
// --disable-default-traits` needs libpng, libjpeg and HDF5 alone.

let argumentParser: Target.Dependency = .product(
  name: "ArgumentParser", package: "swift-argument-parser")

/// The commands, in the order in which they are used, and the modules of each; each is one folder
/// of `Sources`.
let commands: KeyValuePairs<String, [Target.Dependency]> = [
  "prep-coco": ["Ingest"],
  "prep-atari": ["Ingest"],
  "prep-images": ["Ingest", "Images", "DurableFiles"],
  "train-vqgan": [
    "ModelCommands", "Training", "Models", "TensorCore", "Shards", "Images", "DurableFiles",
  ],
  "reconstruct": ["ModelCommands", "Training", "Ingest", "Shards", "Images"],
  "encode-dataset": ["ModelCommands", "Training", "TensorCore", "Shards"],
  "decode-dataset": ["ModelCommands", "Training", "TensorCore", "Shards"],
  "evaluate": [
    "ModelCommands", "Training", "Metrics", "Ingest", "Models", "TensorCore", "Images", "Shards",
    "DurableFiles",
  ],
  "codebook-report": ["ModelCommands", "Training", "Shards", "Images", "DurableFiles"],
  "train-gpt": ["ModelCommands", "Training", "Models", "TensorCore", "Shards"],
  "sample-gpt": [
    "ModelCommands", "Training", "Models", "TensorCore", "Shards", "Images", "DurableFiles",
  ],
  "train-world": ["ModelCommands", "Training", "Models", "TensorCore", "Shards"],
  "dream": [
    "ModelCommands", "Training", "Models", "TensorCore", "Shards", "Images", "Corpora",
    "DurableFiles",
  ],
  "play": [
    "Playing", "ModelCommands", "Training", "Models", "TensorCore", "DurableFiles", "Platform",
  ],
  "score": ["ModelCommands", "Training", "TensorCore", "Shards", "Images", "DurableFiles"],
  "shard-info": ["Images", "Shards", "DurableFiles", "Platform", "RowMaps"],
  "shard-export": ["Corpora", "Shards", "Images", "Checksums", "DurableFiles", "RowMaps"],
  "convert-checkpoint": [
    "ModelCommands", "Training", "TamingCheckpoints", "Models", "Checkpoints", "Checksums",
    "DurableFiles", "Platform",
  ],
  "bench": [
    "ModelCommands", "Training", "Metrics", "Models", "NN", "TensorCore", "Shards", "DurableFiles",
    "Platform",
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

extension Target {
  /// A library of Debian or Homebrew that pkg-config finds.
  static func library(_ name: String, pkgConfig: String, apt: String, brew: String) -> Target {
    .systemLibrary(name: name, pkgConfig: pkgConfig, providers: [.apt([apt]), .brew([brew])])
  }
}

/// The archive of libFuzzer: `make fuzz` names it, and has one program more.
let fuzzer = Context.environment["LIBFUZZER"]

let package = Package(
  name: "swift-vqgan",
  platforms: [.macOS(.v15)],
  products: commands.map { .executable(name: $0.key, targets: [$0.key]) }
    + [.executable(name: "vqgan", targets: ["vqgan"])],
  traits: [
    .default(enabledTraits: ["LibDeflate"]),
    .trait(name: "LibDeflate", description: "Shard compression by libdeflate instead of zlib."),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    .package(url: "https://github.com/swhitty/FlyingFox", from: "0.27.1"),
  ],
  targets: [
    // System libraries
    .library("CHDF5", pkgConfig: "hdf5", apt: "libhdf5-dev", brew: "hdf5"),
    .library("CJPEG", pkgConfig: "libjpeg", apt: "libjpeg-dev", brew: "jpeg-turbo"),
    .library("CPNG", pkgConfig: "libpng", apt: "libpng-dev", brew: "libpng"),
    .library("CCrypto", pkgConfig: "libcrypto", apt: "libhdf5-dev", brew: "openssl@3"),
    .library("CZlib", pkgConfig: "zlib", apt: "libhdf5-dev", brew: "zlib"),
    .library("CDeflate", pkgConfig: "libdeflate", apt: "libdeflate-dev", brew: "libdeflate"),

    // The system
    .target(name: "Platform"),
    .target(name: "CBeneath"),

    // C
    .target(name: "CKernels", linkerSettings: [.linkedLibrary("m")]),
    .target(name: "CImageCodecs", dependencies: ["CJPEG", "CPNG", "CZlib"]),
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
    .target(name: "TensorCore", dependencies: ["CKernels", "Platform"]),
    .target(name: "NN", dependencies: ["TensorCore"]),
    .target(name: "Models", dependencies: ["NN", "RowMaps", "TensorCore"]),
    .target(name: "Metrics", dependencies: ["TensorCore", "Platform"]),

    // Files
    .target(name: "DurableFiles", dependencies: ["CBeneath", "Checksums", "Platform"]),
    .target(name: "Checksums", dependencies: ["CCrypto", "CChunkCodec"]),
    .target(name: "Images", dependencies: ["CImageCodecs", "DurableFiles", "Platform", "RowMaps"]),
    .target(
      name: "Shards",
      dependencies: [
        "CHDF5", "CShardGuard", "CChunkCodec", "Checksums", "DurableFiles", "Platform", "RowMaps",
      ]),
    .target(
      name: "Checkpoints", dependencies: ["CZlib", "Checksums", "DurableFiles", "TensorCore"]),
    .target(
      name: "Corpora", dependencies: ["CAnnotations", "Checksums", "DurableFiles", "Platform"]),
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
        "Models", "NN", "TensorCore", "Metrics", "Checkpoints", "TamingCheckpoints", "Shards",
        "Images", "Checksums", "DurableFiles", "Platform", "RowMaps",
      ]),
    .target(
      name: "Playing",
      dependencies: [
        "Training", "Models", "TensorCore", "Corpora", "Shards", "Images", "DurableFiles",
        "Platform",
        .product(name: "FlyingFox", package: "FlyingFox"),
        .product(name: "FlyingSocks", package: "FlyingFox"),
      ]),
    .target(
      name: "CommandSupport",
      dependencies: [
        "Ingest", "Corpora", "Shards", "Images", "DurableFiles", "Platform", argumentParser,
      ]),
    .target(
      name: "ModelCommands",
      dependencies: [
        "CommandSupport", "Training", "Metrics", "Models", "TamingCheckpoints", "Checkpoints",
        "Shards", "DurableFiles", "TensorCore", argumentParser,
      ]),
  ]
    + commands.map { name, modules in
      .executableTarget(
        name: name, dependencies: modules + ["CommandSupport", argumentParser])
    }
    + [
      // Becomes one of them.
      .executableTarget(name: "vqgan", dependencies: ["Platform"]),
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
        dependencies: [
          "Training", "Models", "TensorCore", "NN", "Checkpoints", "RowMaps", "Shards",
          "DurableFiles",
        ],
        path: "Tests/TestSupport"),
      .target(
        name: "FuzzTargets",
        dependencies: [
          "CommandSupport", "Training", "Models", "NN", "TensorCore", "TamingCheckpoints",
          "Checkpoints", "Shards", "Images", "Corpora", "Checksums", "CAnnotations",
          "CChunkCodec", "TestSupport",
        ],
        path: "Tests/Fuzz/Targets"),
    ]
    + (fuzzer.map {
      [
        .executableTarget(
          name: "fuzz", dependencies: ["FuzzTargets"], path: "Tests/Fuzz/Driver",
          linkerSettings: [.unsafeFlags([$0]), .linkedLibrary("stdc++")])
      ]
    } ?? [])
    + [
      ("CKernels", ["CKernels"]), ("TensorCore", ["TensorCore"]), ("NN", ["NN", "TensorCore"]),
      ("Metrics", ["Metrics", "TensorCore"]),
      ("Models", ["Models", "NN", "TensorCore", "Checkpoints"]),
      ("DurableFiles", ["DurableFiles", "CBeneath", "Platform"]), ("Checksums", ["Checksums"]),
      ("Images", ["Images", "CImageCodecs", "CJPEG", "RowMaps"]),
      ("Shards", ["Shards", "CHDF5", "RowMaps"]), ("Checkpoints", ["Checkpoints", "TensorCore"]),
      ("TamingCheckpoints", ["TamingCheckpoints", "Checkpoints", "Models", "NN", "TensorCore"]),
      ("Corpora", ["Corpora", "CAnnotations"]),
      ("Ingest", ["Ingest", "Corpora", "Images", "Shards", "RowMaps"]),
      (
        "Training",
        [
          "Training", "Models", "NN", "TensorCore", "Checkpoints", "TamingCheckpoints", "Shards",
          "Images", "RowMaps", "Metrics",
        ]
      ),
      ("Playing", ["Playing", "Training", "Models", "TensorCore", "Shards", "Images", "Platform"]),
      ("CommandSupport", ["CommandSupport"]), ("Fuzz", ["FuzzTargets"]),
      ("Command", ["CommandSupport", "Shards", "Images", "Checkpoints", "Training", "Models"]),
    ].map { (name: String, modules: [String]) in
      .testTarget(
        name: "\(name)Tests",
        dependencies: modules.map { .init(stringLiteral: $0) } + ["TestSupport"],
        path: "Tests/\(name)Tests", exclude: checks[name] ?? [])
    },
  swiftLanguageModes: [.v6]
)
