// Pages of scattered rows, looked up together.
//
// Rows of an order lie in pages of their own, and a core that finds a page in none of its tables can look up
// few others meanwhile and finishes nothing that comes after. In a virtual machine a look-up takes two walks
// of tables that were pushed out of the caches by the rows themselves. Asked for one by one between products
// they would all be waited for; so the pages of a stretch are touched in one go, when the stretch before it
// begins.
#pragma once
#include "compiler/target/cpu/lower/Lowering.h"

namespace linmu::cpu {

/// Touches the pages of the rows that the blocks of this group need in the next stretch, with its first
/// block.
void touchPages(Lowering &lowering);

} // namespace linmu::cpu
