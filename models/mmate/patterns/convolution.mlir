// The causal short convolution of width 4 along the scan's order, one weight for each head, feature and lag;
// the last three tokens are carried to the next call.
!tokens = tensor<?x?x3x64xf32>
!tail = tensor<?x3x3x64xf32>
!weight = tensor<3x64xf32>
!read = tensor<64xf32>

func.func @convolution(%x: !tokens, %tail: !tail, %w0: !weight, %w1: !weight, %w2: !weight, %w3: !weight,
                       %order: tensor<?x?xi32>) -> (!tokens, !tail) {
  %y, %last = pattern.map
      params(%p0 = %w0 : !weight, %p1 = %w1 : !weight, %p2 = %w2 : !weight, %p3 = %w3 : !weight)
      tokens(%xt = %x tail %tail : !tokens, !tail)
      order(%order : tensor<?x?xi32>)
      -> (!tokens) {
    %x1 = pattern.lag %xt by 1 : !read
    %x2 = pattern.lag %xt by 2 : !read
    %x3 = pattern.lag %xt by 3 : !read
    %t0 = arith.mulf %p0, %xt : !read
    %t1 = arith.mulf %p1, %x1 : !read
    %t2 = arith.mulf %p2, %x2 : !read
    %t3 = arith.mulf %p3, %x3 : !read
    %s1 = arith.addf %t0, %t1 : !read
    %s2 = arith.addf %s1, %t2 : !read
    %s3 = arith.addf %s2, %t3 : !read
    pattern.yield outputs(%s3 : !read)
  }
  return %y, %last : !tokens, !tail
}
