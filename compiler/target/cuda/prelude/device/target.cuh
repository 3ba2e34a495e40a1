// What the text behind has on a device only: loops written out, and operands by their addresses.
namespace prelude {

#define LINMU_UNROLL _Pragma("unroll")
// A trailing parameter that says which line calls, and the argument that hands it on: the emulation's.
#define LINMU_CALL_SITE
#define LINMU_FROM_CALL_SITE

/// The first element of an operand, from the word that a launch passes for it.
template <class T> LINMU_FUNCTION Global<T> global_at(i64 word) { return {reinterpret_cast<T *>(word)}; }

} // namespace prelude
