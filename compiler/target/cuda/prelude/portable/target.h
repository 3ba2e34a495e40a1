// What the text behind has on the host: the line that calls, and operands by the emulation's numbers.
namespace prelude {

#define LINMU_UNROLL
#define LINMU_CALL_SITE , Where where = {__builtin_FILE(), __builtin_LINE()}
#define LINMU_FROM_CALL_SITE , where

/// The first element of an operand; its word is the number of the argument.
template <class T> Global<T> global_at(i64 word) { return {{static_cast<std::uint32_t>(word), 0}}; }

} // namespace prelude
