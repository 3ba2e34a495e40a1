#include "runtime/io/stored_type.h"

namespace linmu {
namespace {

struct Row {
  StoredType type;
  std::string_view name;
  std::int64_t bytes;
};
constexpr Row rows[] = {
    {StoredType::f64, "F64", 8},      {StoredType::f32, "F32", 4}, {StoredType::f16, "F16", 2},
    {StoredType::bf16, "BF16", 2},    {StoredType::i64, "I64", 8}, {StoredType::i32, "I32", 4},
    {StoredType::i16, "I16", 2},      {StoredType::i8, "I8", 1},   {StoredType::u64, "U64", 8},
    {StoredType::u32, "U32", 4},      {StoredType::u16, "U16", 2}, {StoredType::u8, "U8", 1},
    {StoredType::boolean, "BOOL", 1},
};

const Row &rowOf(StoredType type) { return rows[static_cast<std::size_t>(type)]; }

} // namespace

std::int64_t sizeOf(StoredType type) { return rowOf(type).bytes; }

std::string_view name(StoredType type) { return rowOf(type).name; }

std::optional<StoredType> storedTypeNamed(std::string_view name) {
  for (const Row &row : rows)
    if (row.name == name)
      return row.type;
  return std::nullopt;
}

} // namespace linmu
