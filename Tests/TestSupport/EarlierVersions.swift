// Files as earlier versions wrote them.
import Foundation

/// Takes out of a checkpoint's `state.json` the checksums, the configuration and what it tells of
/// metrics: earlier versions wrote none.
package func removeChecksums(ofCheckpoint folder: String) throws {
  let path = "\(folder)/state.json"
  var json = try String(contentsOfFile: path, encoding: .utf8)
  for pattern in [
    #"  "(files|config|ending)" : \{\n(    .*\n)*  \},\n"#,
    #"  "(sha256|metrics|metrics_rows)" : .*,\n"#,
  ] { json.replace(try Regex(pattern), with: "") }
  try json.write(toFile: path, atomically: false, encoding: .utf8)
}
