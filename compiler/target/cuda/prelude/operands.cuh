// A kernel's arguments, and access to its operands in memory and to the block's shared memory.
namespace prelude {

/// For each argument in order: of an operand its address, sizes and strides (in elements), of an index its value;
/// behind them the three dimensions of the grid, whose blocks are launched as one dimension, the first fastest.
template <int Words> struct Arguments {
  i64 words[Words];
};

template <int Words> LINMU_FUNCTION i32 index_argument(const Arguments<Words> &arguments, int word) {
  return static_cast<i32>(arguments.words[word]);
}
template <int Dimension, int Words> LINMU_FUNCTION i32 block_count(const Arguments<Words> &arguments) {
  return static_cast<i32>(arguments.words[Words - 3 + Dimension]);
}
template <int Dimension, int Words> LINMU_FUNCTION i32 block_id(const Arguments<Words> &arguments) {
  u32 block = block_index<0>();
  u32 first = block_count<0>(arguments), second = block_count<1>(arguments);
  return static_cast<i32>(Dimension == 0 ? block % first : Dimension == 1 ? block / first % second : block / first / second);
}

/// An operand in memory, whose last axis is contiguous. T is const where the kernel does not write it.
template <class T, int Rank> struct Operand {
  Global<T> first;
  i64 sizes[Rank], strides[Rank];
};
template <class T, int Rank, int Words>
LINMU_FUNCTION Operand<T, Rank> operand(const Arguments<Words> &arguments, int word) {
  Operand<T, Rank> result;
  result.first = global_at<T>(arguments.words[word]);
  LINMU_UNROLL for (int axis = 0; axis < Rank; ++axis) {
    result.sizes[axis] = arguments.words[word + 1 + axis];
    result.strides[axis] = arguments.words[word + 1 + Rank + axis];
  }
  return result;
}
template <int Axis, class T, int Rank> LINMU_FUNCTION i32 dimension(const Operand<T, Rank> &operand) {
  return static_cast<i32>(operand.sizes[Axis]);
}

/// Elements in shared memory.
template <class T> struct Buffer {
  Shared first;
};
LINMU_FUNCTION Buffer<i8> dynamic_shared_memory() { return {shared_memory()}; }
/// From `bytes` on, as elements of another type.
template <class To> LINMU_FUNCTION Buffer<To> view(Buffer<i8> memory, i32 bytes) {
  return {memory.first + static_cast<u32>(bytes)};
}

/// The place of an element. Dimension 1, along which loops go, is added last: what comes before stays the same in them.
template <class T, int Rank, class... Indices>
LINMU_FUNCTION Global<T> at(const Operand<T, Rank> &operand, Indices... indices) {
  static_assert(sizeof...(Indices) == Rank, "requires an index for each axis");
  const i32 list[] = {indices...};
  i64 offset = list[Rank - 1];
  LINMU_UNROLL for (int axis = 0; axis < Rank - 1; ++axis)
    if (axis != 1)
      offset += list[axis] * operand.strides[axis];
  if constexpr (Rank > 2)
    return (operand.first + offset).step(list[1], operand.strides[1]);
  else
    return operand.first + offset;
}
/// The same of a row, along dimension 1, that may lie anywhere.
template <class T> LINMU_FUNCTION Global<T> at_scattered(const Operand<T, 1> &operand, i32 index) {
  return at(operand, index);
}
template <class T, int Rank, class... Indices>
LINMU_FUNCTION Global<T> at_scattered(const Operand<T, Rank> &operand, i32 first, i32 row, Indices... rest) {
  if constexpr (Rank > 2)
    return at(operand, first, 0, rest...).step_anywhere(row, operand.strides[1]);
  else
    return at(operand, first, row);
}
template <class T> LINMU_FUNCTION Buffer<T> at(Buffer<T> buffer, i32 offset) {
  return {buffer.first + static_cast<u32>(offset) * static_cast<u32>(sizeof(T))};
}

template <class T> struct Value {
  using Type = T;
};
template <class T> struct Value<const T> {
  using Type = T;
};
template <class T> using ValueOf = typename Value<T>::Type;

/// Elements of one access of `count` neighbours: a power of two of them, 16 bytes at most.
template <class T> LINMU_FUNCTION constexpr int access_of(int count) {
  int size = 1;
  while (count % (size * 2) == 0 && size * 2 * int(sizeof(T)) <= 16)
    size *= 2;
  return size;
}

/// Neighbours from a place on, aligned to their number.
template <int Count, class T> LINMU_FUNCTION Vector<ValueOf<T>, Count> load(Global<T> from LINMU_CALL_SITE) {
  constexpr int size = access_of<T>(Count);
  Vector<ValueOf<T>, Count> result;
  LINMU_UNROLL for (int i = 0; i < Count; i += size) {
    auto part = load_global<Vector<ValueOf<T>, size>>(from + i LINMU_FROM_CALL_SITE);
    LINMU_UNROLL for (int j = 0; j < size; ++j) result[i + j] = part[j];
  }
  return result;
}
template <int Count, class T> LINMU_FUNCTION Vector<T, Count> load(Buffer<T> from LINMU_CALL_SITE) {
  constexpr int size = access_of<T>(Count);
  Vector<T, Count> result;
  LINMU_UNROLL for (int i = 0; i < Count; i += size) {
    auto part = load_shared<Vector<T, size>>(at(from, i).first LINMU_FROM_CALL_SITE);
    LINMU_UNROLL for (int j = 0; j < size; ++j) result[i + j] = part[j];
  }
  return result;
}
/// Zeros where `live` does not hold: nothing is read there.
template <int Count, class T>
LINMU_FUNCTION Vector<ValueOf<T>, Count> load_where(bool live, Global<T> from LINMU_CALL_SITE) {
  constexpr int size = access_of<T>(Count);
  Vector<ValueOf<T>, Count> result;
  LINMU_UNROLL for (int i = 0; i < Count; i += size) {
    auto part = load_global_where<Vector<ValueOf<T>, size>>(live, from + i LINMU_FROM_CALL_SITE);
    LINMU_UNROLL for (int j = 0; j < size; ++j) result[i + j] = part[j];
  }
  return result;
}
/// One element.
template <class T> LINMU_FUNCTION ValueOf<T> load(Global<T> from LINMU_CALL_SITE) {
  return load<1>(from LINMU_FROM_CALL_SITE)[0];
}
template <class T> LINMU_FUNCTION T load(Buffer<T> from LINMU_CALL_SITE) {
  return load<1>(from LINMU_FROM_CALL_SITE)[0];
}
template <class T> LINMU_FUNCTION ValueOf<T> load_where(bool live, Global<T> from LINMU_CALL_SITE) {
  return load_where<1>(live, from LINMU_FROM_CALL_SITE)[0];
}

template <class T, int Count>
LINMU_FUNCTION void store(const Vector<T, Count> &value, Global<T> to LINMU_CALL_SITE) {
  constexpr int size = access_of<T>(Count);
  LINMU_UNROLL for (int i = 0; i < Count; i += size) {
    Vector<T, size> part;
    LINMU_UNROLL for (int j = 0; j < size; ++j) part[j] = value[i + j];
    store_global(to + i, part LINMU_FROM_CALL_SITE);
  }
}
template <class T, int Count>
LINMU_FUNCTION void store(const Vector<T, Count> &value, Buffer<T> to LINMU_CALL_SITE) {
  constexpr int size = access_of<T>(Count);
  LINMU_UNROLL for (int i = 0; i < Count; i += size) {
    Vector<T, size> part;
    LINMU_UNROLL for (int j = 0; j < size; ++j) part[j] = value[i + j];
    store_shared(at(to, i).first, part LINMU_FROM_CALL_SITE);
  }
}
template <class T> LINMU_FUNCTION void store(T value, Global<T> to LINMU_CALL_SITE) {
  store(Vector<T, 1>{{value}}, to LINMU_FROM_CALL_SITE);
}
template <class T> LINMU_FUNCTION void store(T value, Buffer<T> to LINMU_CALL_SITE) {
  store(Vector<T, 1>{{value}}, to LINMU_FROM_CALL_SITE);
}
template <class T, int Count>
LINMU_FUNCTION void store_where(bool live, const Vector<T, Count> &value, Global<T> to LINMU_CALL_SITE) {
  constexpr int size = access_of<T>(Count);
  LINMU_UNROLL for (int i = 0; i < Count; i += size) {
    Vector<T, size> part;
    LINMU_UNROLL for (int j = 0; j < size; ++j) part[j] = value[i + j];
    store_global_where(live, to + i, part LINMU_FROM_CALL_SITE);
  }
}
template <class T> LINMU_FUNCTION void store_where(bool live, T value, Global<T> to LINMU_CALL_SITE) {
  store_where(live, Vector<T, 1>{{value}}, to LINMU_FROM_CALL_SITE);
}

/// Starts to copy `Count` elements; zeros where `live` does not hold.
template <int Count, class T> LINMU_FUNCTION void copy(Buffer<ValueOf<T>> to, Global<T> from LINMU_CALL_SITE) {
  copy_async<Count * int(sizeof(T))>(to.first, from LINMU_FROM_CALL_SITE);
}
template <int Count, class T>
LINMU_FUNCTION void copy_where(bool live, Buffer<ValueOf<T>> to, Global<T> from LINMU_CALL_SITE) {
  copy_async<Count * int(sizeof(T))>(to.first, from, live ? u32(Count * sizeof(T)) : 0u LINMU_FROM_CALL_SITE);
}

} // namespace prelude
