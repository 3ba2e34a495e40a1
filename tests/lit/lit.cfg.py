# Configuration of LLVM's lit: `./dev test lit`, or `lit tests/lit` after `./dev build`.
import os

import lit.formats

config.name = "LinMU"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir"]
config.test_source_root = os.path.dirname(__file__)
root = os.path.abspath(os.path.join(config.test_source_root, "..", ".."))
config.test_exec_root = os.path.join(root, "build", "lit")
# FileCheck and not; our own tools come first.
config.environment["PATH"] = os.pathsep.join(
    [os.path.join(root, "build", "bin"), "/usr/lib/llvm-22/bin", os.environ["PATH"]]
)
for variable in ("LINMU_CACHE_DIR", "HOME"):
    if variable in os.environ:
        config.environment[variable] = os.environ[variable]
for folder in ("bin", "lib"):
    config.substitutions.append((f"%linmu_{folder}", os.path.join(root, "build", folder)))
