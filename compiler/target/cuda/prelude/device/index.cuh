// Which thread and block this is. Blocks are one-dimensional.
namespace prelude {

LINMU_FUNCTION u32 thread_index() { return threadIdx.x; }
LINMU_FUNCTION u32 lane_index() { return threadIdx.x % 32; }
LINMU_FUNCTION u32 warp_index() { return threadIdx.x / 32; }

template <int Dimension> LINMU_FUNCTION u32 block_index() {
  return Dimension == 0 ? blockIdx.x : Dimension == 1 ? blockIdx.y : blockIdx.z;
}
template <int Dimension> LINMU_FUNCTION u32 block_count() {
  return Dimension == 0 ? gridDim.x : Dimension == 1 ? gridDim.y : gridDim.z;
}

} // namespace prelude
