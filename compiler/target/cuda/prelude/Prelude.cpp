#include "compiler/target/cuda/prelude/Prelude.h"
#include "compiler/target/cuda/prelude/PreludeText.h"

std::string_view linmu::cuda::devicePrelude() { return deviceText; }

std::string linmu::cuda::hostText(std::string_view kernel, std::string_view name) {
  std::string text(portableText);
  // Instructions by their text are not modelled, wherever they stand.
  // Of several kernels only the exported one is compiled.
  text += "#define __global__ inline\n#define __launch_bounds__(...)\n#define __grid_constant__\n#define asm "
          "an_instruction_by_its_text\n"
          "#define __asm__ an_instruction_by_its_text\nusing namespace prelude;\n#line 1 \"kernel\"\n";
  text += kernel;
  text += "\n#line 1 \"entry\"\n";
  text += entryText;
  text += "LINMU_EXPORT(" + std::string(name) + ")\n";
  return text;
}
