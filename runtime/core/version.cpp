#include "runtime/core/version.h"

namespace linmu {

const char *version() { return LINMU_VERSION; }

} // namespace linmu
