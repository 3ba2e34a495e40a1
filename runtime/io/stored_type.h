// Element types that a safetensors file may hold.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace linmu {

enum class StoredType : std::uint8_t { f64, f32, f16, bf16, i64, i32, i16, i8, u64, u32, u16, u8, boolean };

/// Bytes of one element.
std::int64_t sizeOf(StoredType type);

/// The name in the file format: "F64", "BF16", "I32", "BOOL", ...
std::string_view name(StoredType type);

/// The type of that name; nothing for a name that is unknown or whose elements are not whole bytes.
std::optional<StoredType> storedTypeNamed(std::string_view name);

} // namespace linmu
