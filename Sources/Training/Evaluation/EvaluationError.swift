// Why two sets of images cannot be compared.

/// Why two sets of images cannot be compared.
package enum EvaluationError: Error, Equatable {
  case latentsNeedVQGAN
  case codesNeedVQGAN(path: String)
  case noMeasure(reason: String)
  case statisticsAlone(path: String, measures: String)
  /// Statistics where no features were asked for.
  case statisticsWithoutFeatures(path: String, measures: String)
  /// Statistics whose file tells that they were made otherwise; the option says what would fit.
  case otherStatistics(
    path: String, property: String, found: String, expected: String, option: String)
  case nothing(path: String)
  case mixed(path: String)
  /// An image of another size than it must have.
  case size(path: String, image: Int, found: String, expected: String)
  case counts(reference: Int, candidate: Int)
  /// An image that has no namesake among those it is paired with.
  case unpaired(name: String, path: String, other: String)
  /// What networks make of an image.
  case notFinite(what: String, weights: [String])
  case width(path: String, found: Int, expected: Int)
  /// Files that make no LPIPS, each as "path holds this".
  case lpips(found: [String])
  case notCodes(path: String)
  case noSprites(path: String)
}

extension EvaluationError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .latentsNeedVQGAN: "--features latents: name the VQGAN, --vqgan RUN"
    case .codesNeedVQGAN(let path): "\(path): codes; name the VQGAN that decodes them, --vqgan RUN"
    case .noMeasure(let reason): reason
    case .statisticsAlone(let path, let measures):
      "\(path): statistics have no images, which \(measures) needs"
    case .statisticsWithoutFeatures(let path, let measures):
      "\(path): statistics have no images, which \(measures) needs; name the --features that they "
        + "are of, and fid compares them"
    case .otherStatistics(let path, let property, let found, let expected, let option):
      "\(path): statistics of \(property) \(found), here it is \(expected); \(option)"
    case .nothing(let path): "\(path): no .h5, .png, .jpg or .jpeg files in this folder"
    case .mixed(let path): "\(path): holds shards and image files; name a folder with one of them"
    case .size(let path, let image, let found, let expected):
      "\(path): image \(image) is \(found), expected \(expected)"
    case .counts(let reference, let candidate):
      "--paired: \(reference) images against \(candidate); pairs need equally many"
    case .unpaired(let name, let path, let other):
      "\(path): \(name) has no namesake in \(other); --paired compares images of one name"
    case .notFinite(let what, let weights):
      "\(what): not finite; the weights of \(weights.joined(separator: ", ")) are too large for it"
    case .width(let path, let found, let expected):
      "\(path): statistics of \(found) features, these features are \(expected)"
    case .noSprites(let path):
      "\(path): no sprites; --sprites needs image shards of a recorded game as the reference, with "
        + "the label trajectory, few colours, and something that moves"
    case .notCodes(let path): "\(path): --copies compares codes; name code shards as the candidate"
    case .lpips(let found):
      found.joined(separator: ", ")
        + "; --lpips takes AlexNet (torchvision's alexnet-owt-7be5be79.pth) and its heads (alex.pth "
        + "of the PyPI package lpips), or SqueezeNet 1.1 (squeezenet1_1-b8a52dc0.pth) and its heads "
        + "(squeeze.pth), or VGG16 and its heads in one file: convert-checkpoint "
        + "vgg16-397923af.pth vgg.pth --out FILE.safetensors"
    }
  }
}
