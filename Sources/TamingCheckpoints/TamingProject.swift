// The project files of taming-transformers: what the shapes of weights do not tell.

import DurableFiles
import Yams

/// A `*-project.yaml` or `model.yaml`: a tree of `target` and `params`.
package struct TamingProject {
  package let path: String
  /// The model of the file.
  package let model: Section
  /// Side of the images that the data section asks for, pixels.
  package let imageSize: Int?
  /// Most objects of an image, of a data section with objects.
  package let objects: Int?
  /// The numbers of the categories in the order of their tokens, of a data section with COCO's
  /// objects.
  package let categories: [Int]?

  /// A `target` with its `params`.
  package struct Section {
    let path: String
    /// The class, without its module.
    ///
    /// `VQModel`, for example. A section may be a plain text instead, `__is_unconditional__`.
    /// Empty if there is none.
    let target: String
    private let params: Node

    fileprivate init?(_ node: Node?, path: String) {
      guard let node else { return nil }
      self.path = path
      if let text = node.string {
        (target, params) = (text, Node(""))
      } else {
        // Lightning's command line, which SEED-Voken uses, has other words for the two.
        let target = (node["target"] ?? node["class_path"])?.string ?? ""
        self.target = target.split(separator: ".").last.map(String.init) ?? target
        params = node["params"] ?? node["init_args"] ?? Node("")
      }
    }

    /// The kind of model that the class is, or else, for a class of somebody's own, that its
    /// parameters describe.
    var kind: Kind? {
      if let kind = Kind.allCases.first(where: { $0.classes.contains(target) }) { return kind }
      return Kind.allCases.first { params[$0.key] != nil }
    }

    /// Refuses a section of another kind of model.
    ///
    /// - Throws: `ArchitectureError.contradiction`.
    func require(_ expected: Kind, _ location: String, for path: String) throws(ArchitectureError) {
      guard kind != expected else { return }
      throw .contradiction(
        project: self.path, key: location, found: target, path: path, weights: expected.title)
    }

    func section(_ key: String) -> Section? { Section(params[key], path: path) }

    /// A number of the parameters, or of a mapping in them; nil where the file does not tell it.
    ///
    /// - Throws: `.project` for anything else.
    func integer(_ key: String, in group: String? = nil) throws(ArchitectureError) -> Int? {
      try value(key, group, "an integer") { $0.integer }
    }

    /// A text of the parameters.
    func text(_ key: String) -> String? { params[key]?.string }

    /// As `integer`.
    func float(_ key: String, in group: String? = nil) throws(ArchitectureError) -> Float? {
      try value(key, group, "a number") { node in
        node.isTime ? nil : node.float.map { Float($0) }
      }
    }

    /// As `integer`.
    func integers(_ key: String, in group: String? = nil) throws(ArchitectureError) -> [Int]? {
      try value(key, group, "a list of integers") { node in
        guard let list = node.sequence else { return nil }
        let integers = list.compactMap(\.integer)
        return integers.count == list.count ? integers : nil
      }
    }

    /// A value of the parameters; nil where there is none, where it is null, and where it stands
    /// elsewhere (`${…}` of OmegaConf).
    private func value<Value>(
      _ key: String, _ group: String?, _ expected: String, _ read: (Node) -> Value?
    ) throws(ArchitectureError) -> Value? {
      let mapping = group.map { params[$0] } ?? params
      guard let node = mapping?[key], node.null == nil,
        node.scalar?.string.hasPrefix("${") != true
      else { return nil }
      guard let value = read(node) else {
        let key = group.map { "\($0).\(key)" } ?? key
        throw .project(
          path: path, problem: "\(key) is \(node.words), expected \(expected)")
      }
      return value
    }
  }

  /// The models that weights are read of.
  enum Kind: CaseIterable {
    case vqgan, transformer

    var title: String { self == .vqgan ? "a VQGAN" : "a transformer" }

    /// The published classes.
    fileprivate var classes: Set<String> {
      switch self {
      case .vqgan: ["VQModel", "VQSegmentationModel", "VQNoDiscModel", "GumbelVQ", "EMAVQ", "IBQ"]
      case .transformer: ["Net2NetTransformer"]
      }
    }

    /// A parameter that the others have not.
    fileprivate var key: String { self == .vqgan ? "ddconfig" : "transformer_config" }
  }

  /// - Throws: `DurableFileError`, `ArchitectureError.project` when it is no project file.
  package init(_ path: String) throws {
    self.path = path
    let text = String(decoding: try DurableFile.read(path, atMost: 1 << 20), as: UTF8.self)
    guard Self.aliases(in: text) <= Self.mostAliases else {
      throw ArchitectureError.project(
        path: path, problem: "more than \(Self.mostAliases) aliases (*name)")
    }
    let root: Node?
    do {
      root = try compose(yaml: text)
    } catch {
      throw ArchitectureError.project(path: path, problem: "no YAML: \(error)")
    }
    guard let node = root?["model"], (node["target"] ?? node["class_path"]) != nil,
      let model = Section(node, path: path)
    else {
      throw ArchitectureError.project(
        path: path,
        problem: "no model with a target; expected a project file of taming-transformers")
    }
    self.model = model
    let data = root?["data"]?["params"] ?? root?["data"]?["init_args"]
    let sets = ["train", "validation"].compactMap { data?[$0]?["params"] }
    let sizes = sets.flatMap {
      [
        $0["size"]?.integer, $0["config"]?["size"]?.integer, $0["crop_size"]?.integer,
        $0["target_image_size"]?.integer,
      ]
    }
    imageSize = sizes.compactMap { $0 }.first(where: (1...65_535).contains)
    objects = sets.compactMap { $0["max_objects_per_image"]?.integer }
      .first(where: (1...10_000).contains)
    let ofCOCO = ["train", "validation"].compactMap { data?[$0] }.first {
      $0["target"]?.string?.hasSuffix(".AnnotatedObjectsCoco") == true
    }
    categories = ofCOCO.map {
      Self.categories(
        things: $0["params"]?["use_things"]?.bool ?? true,
        stuff: $0["params"]?["use_stuff"]?.bool ?? true)
    }
  }

  /// Two aliases of a list of two aliases, and so on, stand for 2^n values; Yams looks at each.
  private static let mostAliases = 8

  /// At least as many aliases as the text has: words that begin with an asterisk.
  private static func aliases(in text: String) -> Int {
    let beforeWords = Set(" \t\r\n[]{},:-?".utf8)
    return zip(text.utf8, text.utf8.dropFirst()).count { beforeWords.contains($0) && $1 == 0x2A }
  }

  /// The numbers of COCO's categories, sorted as texts: first 1, 10, 100.
  ///
  /// - Source: `AnnotatedObjectsCoco`, `AnnotatedObjectsDataset.setup_category_id_and_number`:
  ///   "other" is left out.
  private static func categories(things: Bool, stuff: Bool) -> [Int] {
    let neverUsed: Set = [12, 26, 29, 30, 45, 66, 68, 69, 71, 83, 91]  // in no annotation file
    let numbers =
      (things ? (1...90).filter { !neverUsed.contains($0) } : []) + (stuff ? Array(92...182) : [])
    return numbers.sorted { "\($0)" < "\($1)" }
  }

  /// The project file that lies beside a checkpoint of taming-transformers: `../configs/model.yaml`
  /// or `../configs/*-project.yaml`, the newest if there are several.
  package static func beside(_ checkpoint: String) throws -> TamingProject? {
    let configs = "\(DurableFile.folder(of: checkpoint))/../configs"
    let names = DurableFile.names(in: configs)
    let name =
      names.last { $0.hasSuffix("-project.yaml") } ?? names.first { $0 == "model.yaml" }
    return try name.map { try TamingProject("\(configs)/\($0)") }
  }
}

extension Node {
  /// The integer of a scalar; nil for times such as 1:30, for which Yams computes without a check.
  fileprivate var integer: Int? { isTime ? nil : int }

  fileprivate var isTime: Bool { scalar?.string.contains(":") == true }

  /// The value as it stands in the file, for messages.
  fileprivate var words: String {
    if let list = sequence { return "[\(list.map(\.words).joined(separator: ", "))]" }
    guard let scalar else { return "a mapping" }
    return scalar.style == .plain || scalar.style == .any ? scalar.string : "\"\(scalar.string)\""
  }
}
