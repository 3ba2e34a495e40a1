// ldmatrix and stmatrix: 8 x 8 matrices of 16-bit elements between shared memory and registers. Lane 8 m + r
// gives the address of row r of matrix m, 16 bytes aligned to them; lane t holds the elements 2 (t % 4) and
// the next of row t / 4, or with `transposed` of column t / 4.
namespace prelude {

LINMU_FUNCTION void load_matrix_x1(u32 &r0, Shared row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%0}, [%1];" : "=r"(r0) : "r"(row.address));
}
LINMU_FUNCTION void load_matrix_x2(u32 &r0, u32 &r1, Shared row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0, %1}, [%2];"
               : "=r"(r0), "=r"(r1)
               : "r"(row.address));
}
LINMU_FUNCTION void load_matrix_x4(u32 &r0, u32 &r1, u32 &r2, u32 &r3, Shared row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(r0), "=r"(r1), "=r"(r2), "=r"(r3)
               : "r"(row.address));
}
LINMU_FUNCTION void load_matrix_transposed_x1(u32 &r0, Shared row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x1.trans.shared.b16 {%0}, [%1];" : "=r"(r0) : "r"(row.address));
}
LINMU_FUNCTION void load_matrix_transposed_x2(u32 &r0, u32 &r1, Shared row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0, %1}, [%2];"
               : "=r"(r0), "=r"(r1)
               : "r"(row.address));
}
LINMU_FUNCTION void load_matrix_transposed_x4(u32 &r0, u32 &r1, u32 &r2, u32 &r3, Shared row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(r0), "=r"(r1), "=r"(r2), "=r"(r3)
               : "r"(row.address));
}

#if __CUDA_ARCH__ < 900
/// One matrix by stores of its lanes; `first` is the lane that holds the address of its row 0.
LINMU_FUNCTION void store_one_matrix(Shared row, u32 first, u32 value) {
  u32 lane = lane_index(), address;
  asm volatile("shfl.sync.idx.b32 %0, %1, %2, 31, 0xffffffff;"
               : "=r"(address)
               : "r"(row.address), "r"(first + lane / 4));
  asm volatile("st.shared.u32 [%0], %1;" ::"r"(address + lane % 4 * 4), "r"(value));
}
LINMU_FUNCTION void store_one_matrix_transposed(Shared row, u32 first, u32 value) {
  u32 lane = lane_index();
  for (u32 half = 0; half < 2; ++half) {
    u32 address;
    asm volatile("shfl.sync.idx.b32 %0, %1, %2, 31, 0xffffffff;"
                 : "=r"(address)
                 : "r"(row.address), "r"(first + lane % 4 * 2 + half));
    asm volatile("st.shared.u16 [%0], %1;" ::"r"(address + lane / 4 * 2),
                 "h"(static_cast<u16>(value >> 16 * half)));
  }
}
#endif

LINMU_FUNCTION void store_matrix_x1(Shared row, u32 r0) {
#if __CUDA_ARCH__ >= 900
  asm volatile("stmatrix.sync.aligned.m8n8.x1.shared.b16 [%0], {%1};" ::"r"(row.address), "r"(r0));
#else
  store_one_matrix(row, 0, r0);
#endif
}
LINMU_FUNCTION void store_matrix_x2(Shared row, u32 r0, u32 r1) {
#if __CUDA_ARCH__ >= 900
  asm volatile("stmatrix.sync.aligned.m8n8.x2.shared.b16 [%0], {%1, %2};" ::"r"(row.address), "r"(r0),
               "r"(r1));
#else
  store_one_matrix(row, 0, r0);
  store_one_matrix(row, 8, r1);
#endif
}
LINMU_FUNCTION void store_matrix_x4(Shared row, u32 r0, u32 r1, u32 r2, u32 r3) {
#if __CUDA_ARCH__ >= 900
  asm volatile("stmatrix.sync.aligned.m8n8.x4.shared.b16 [%0], {%1, %2, %3, %4};" ::"r"(row.address), "r"(r0),
               "r"(r1), "r"(r2), "r"(r3));
#else
  store_one_matrix(row, 0, r0);
  store_one_matrix(row, 8, r1);
  store_one_matrix(row, 16, r2);
  store_one_matrix(row, 24, r3);
#endif
}
LINMU_FUNCTION void store_matrix_transposed_x1(Shared row, u32 r0) {
#if __CUDA_ARCH__ >= 900
  asm volatile("stmatrix.sync.aligned.m8n8.x1.trans.shared.b16 [%0], {%1};" ::"r"(row.address), "r"(r0));
#else
  store_one_matrix_transposed(row, 0, r0);
#endif
}
LINMU_FUNCTION void store_matrix_transposed_x2(Shared row, u32 r0, u32 r1) {
#if __CUDA_ARCH__ >= 900
  asm volatile("stmatrix.sync.aligned.m8n8.x2.trans.shared.b16 [%0], {%1, %2};" ::"r"(row.address), "r"(r0),
               "r"(r1));
#else
  store_one_matrix_transposed(row, 0, r0);
  store_one_matrix_transposed(row, 8, r1);
#endif
}
LINMU_FUNCTION void store_matrix_transposed_x4(Shared row, u32 r0, u32 r1, u32 r2, u32 r3) {
#if __CUDA_ARCH__ >= 900
  asm volatile("stmatrix.sync.aligned.m8n8.x4.trans.shared.b16 [%0], {%1, %2, %3, %4};" ::"r"(row.address),
               "r"(r0), "r"(r1), "r"(r2), "r"(r3));
#else
  store_one_matrix_transposed(row, 0, r0);
  store_one_matrix_transposed(row, 8, r1);
  store_one_matrix_transposed(row, 16, r2);
  store_one_matrix_transposed(row, 24, r3);
#endif
}

} // namespace prelude
