// The classes and functions that a pickle names.

/// A class or function that a pickle names.
///
/// It is never looked up: to this reader it is two texts.
package struct PickleGlobal: Hashable, Sendable {
  package let module: String
  package let name: String

  package init(_ module: String, _ name: String) {
    self.module = module
    self.name = name
  }

  /// Whether the reader understands it.
  var hasMeaning: Bool {
    switch (module, name) {
    case ("collections", "OrderedDict"), ("torch", "Size"), ("torch", "device"),
      ("torch.nn.parameter", "Parameter"):
      true
    case ("torch._utils", _): name.hasPrefix("_rebuild_tensor") || name.hasPrefix("_rebuild_param")
    default: ElementType(storageClass: self) != nil
    }
  }

  /// Whether a pickle that names it may have been made to do harm where it is loaded by Python: to run code, to start
  /// programs, to open files or connections, or to load another pickle.
  package var isDangerous: Bool {
    let root = String(module.prefix { $0 != "." })
    if ["builtins", "__builtin__"].contains(root) { return !Self.harmlessBuiltins.contains(name) }
    // A name may itself be a path: `nn.Module.load`.
    let parts = "\(module).\(name)".split(separator: ".").map(String.init)
    return Self.dangerousModules.contains(root)
      || Self.dangerousParts.contains { parts.starts(with: $0) }
      || Self.dangerousNames.contains(parts.last ?? "")
  }

  private static let dangerousModules: Set<String> = [
    // Programs and the system
    "posix", "nt", "os", "sys", "subprocess", "_posixsubprocess", "commands", "pty", "shutil",
    "signal", "_signal", "resource", "fcntl", "platform", "multiprocessing", "concurrent",
    "threading", "_thread", "asyncio",
    // Code
    "runpy", "code", "codeop", "imp", "_imp", "importlib", "pkgutil", "zipimport", "types",
    "inspect", "ctypes", "_ctypes", "cffi", "gc", "ast", "dis", "pydoc", "doctest", "unittest",
    "bdb", "pdb", "timeit", "cProfile", "profile", "trace", "site", "pip", "setuptools",
    "distutils", "venv", "ensurepip", "idlelib",
    // Ways to call what another name stands for
    "operator", "_operator", "functools", "_functools",
    // Pickles in pickles
    "pickle", "_pickle", "cPickle", "marshal", "shelve", "dill", "joblib",
    "cloudpickle",
    // Files and connections
    "tempfile", "fileinput", "linecache", "mmap", "dbm", "sqlite3",
    "zipfile", "tarfile", "socket", "_socket", "socketserver", "ssl", "urllib", "urllib2",
    "httplib", "http", "ftplib", "smtplib", "telnetlib", "poplib", "imaplib", "xmlrpc", "requests",
    "webbrowser",
  ]

  /// Parts of packages that are harmless otherwise.
  private static let dangerousParts: [[String]] = [
    ["torch", "hub"], ["torch", "jit"], ["torch", "package"], ["torch", "ops"],
    ["torch", "classes"], ["torch", "utils", "cpp_extension"],
    ["torch", "utils", "model_zoo"], ["torch", "multiprocessing"], ["torch", "distributed"],
    ["torch", "_inductor"], ["torch", "_dynamo"], ["numpy", "f2py"], ["numpy", "distutils"],
    ["numpy", "testing"], ["numpy", "ctypeslib"], ["logging", "config"],
  ]

  /// Functions that open, load, run or write, wherever they are from.
  private static let dangerousNames: Set<String> = [
    "open", "open_code", "load", "loads", "_load", "_load_from_bytes", "_load_global_deps",
    "load_url",
    "load_state_dict_from_url", "download_url_to_file", "load_library", "read_pickle", "save",
    "savez", "savetxt", "loadtxt", "genfromtxt", "fromfile", "tofile", "memmap", "open_memmap",
    "DataSource", "FileIO", "urlopen", "urlretrieve", "system", "popen", "Popen", "call", "run",
    "check_call", "check_output", "spawn", "fork", "eval", "exec", "execfile", "compile",
    "__import__", "import_module", "_run_code", "getattr", "__getattribute__", "__reduce__",
    "__reduce_ex__", "__globals__", "__builtins__", "write_text", "write_bytes", "unlink",
    "rmtree", "remove",
  ]

  private static let harmlessBuiltins: Set<String> = [
    "set", "frozenset", "dict", "list", "tuple", "int", "long", "float", "complex", "bool", "str",
    "unicode", "bytes", "bytearray", "object", "slice", "range", "xrange", "Ellipsis",
  ]
}

extension PickleGlobal: CustomStringConvertible {
  package var description: String { "\(module).\(name)" }
}
