// LinMU's version.
#pragma once

namespace linmu {

/// "0.1.0": the version that CMakeLists.txt gives the project, its one source.
const char *version();

} // namespace linmu
