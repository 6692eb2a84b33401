/// What is in a shard, without reading its rows.
package struct ShardDescription: Encodable, Sendable {
  package struct Dataset: Encodable, Sendable {
    package let name: String
    package let type: String
    package let shape: [Int]
    package let storage: String  // for people: "contiguous", "chunks of 1×64×64×3, gzip"
    package let storedBytes: Int

    enum CodingKeys: String, CodingKey {
      case name, type, shape, storage
      case storedBytes = "stored_bytes"
    }
  }

  package let path: String
  package let format: String
  package let rows: Int
  package let fileBytes: Int
  /// Attributes as text, lists joined by ", ".
  package let attributes: [String: String]
  package let datasets: [Dataset]

  enum CodingKeys: String, CodingKey {
    case path, format, rows, attributes, datasets
    case fileBytes = "file_bytes"
  }

  /// - Throws: what opening the shard throws.
  package init(_ path: String) throws(ShardError) {
    let contents = try ShardContents(path)
    // The readers check what concerns one kind only.
    switch contents.kind {
    case .images: _ = try ImageShardReader(path)
    case .codes: _ = try CodeShardReader(path)
    }
    self.path = path
    format = contents.kind.rawValue
    rows = contents.count
    fileBytes = contents.fileBytes
    var attributes: [String: String] = [:]
    for name in try contents.file.attributeNames() {
      attributes[name] = Self.text(of: name, in: contents.file)
    }
    self.attributes = attributes
    var datasets: [Dataset] = []
    for name in try contents.file.allDatasetNames() {
      let dataset = try contents.file.dataset(name)
      datasets.append(
        Dataset(
          name: name, type: "\(dataset.type)", shape: dataset.shape,
          storage: dataset.storage.description, storedBytes: dataset.storage.bytes))
    }
    self.datasets = datasets
  }

  private static func text(of attribute: String, in file: HDF5InputFile) -> String {
    if let texts = try? file.strings(attribute) { return texts.joined(separator: ", ") }
    if let number = try? file.integer(attribute) { return "\(number)" }
    return "(neither text nor one integer)"
  }
}
