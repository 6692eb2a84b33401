// Which codes a shard holds.
import Shards

extension CodeGrid {
  /// The codes that a shard's header describes.
  package init(_ header: CodeShardHeader) {
    self.init(
      height: header.gridHeight, width: header.gridWidth, codebookSize: header.codebookSize,
      fingerprint: header.fingerprint, vqgan: header.vqganPath)
  }

  /// Refuses shards with other codes than these.
  ///
  /// - Throws: `RunError.damaged` naming what differs.
  package func requireSame(as shards: CodeShardSet) throws(RunError) {
    let found = CodeGrid(shards.header)
    let properties = [
      ("grid", "\(found.height)×\(found.width)", "\(height)×\(width)"),
      ("codebook", "\(found.codebookSize) codes", "\(codebookSize) codes"),
      ("vqgan_fingerprint", found.fingerprint, fingerprint),
    ]
    for (name, found, expected) in properties where found != expected {
      throw .damaged(
        path: shards.paths.first ?? "", problem: "\(name) is \(found), the run's is \(expected)")
    }
  }
}
