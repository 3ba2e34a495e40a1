# Writes OUTPUT, C++ that gives the text of each pattern file of FILES by its name.
set(body "")
foreach(file IN LISTS FILES)
  get_filename_component(name "${file}" NAME)
  file(READ "${file}" text)
  string(APPEND body "    {\"${name}\", R\"pattern(${text})pattern\"},\n")
endforeach()
file(WRITE "${OUTPUT}" "#include \"models/mmate/mmate_kernels.h\"

namespace linmu::models {

const std::map<std::string, std::string_view, std::less<>> &mmatePatterns() {
  static const std::map<std::string, std::string_view, std::less<>> patterns = {
${body}  };
  return patterns;
}

} // namespace linmu::models
")
