// The forward direction of Flex-MA (Eq. 1 of the paper, Mamba-2's discretisation): a state that decays by
// exp(dt A), A = -exp(a_log), takes in dt B x^T and is read with C.
!query = tensor<?x?x9x64xf32>
!key_value = tensor<?x?x3x64xf32>
!per_head = tensor<?x?x9xf32>
!state = tensor<?x9x64x64xf32>
!head_scalar = tensor<9xf32>
!read = tensor<64xf32>
!matrix = tensor<64x64xf32>

func.func @flex_forward(%c: !query, %b: !key_value, %x: !key_value, %dt: !per_head, %a_log: !head_scalar,
                        %order: tensor<?x?xi32>, %state: !state) -> (!query, !state) {
  %y, %next = pattern.scan
      params(%log_rate = %a_log : !head_scalar)
      tokens(%ct = %c : !query, %bt = %b : !key_value, %xt = %x : !key_value, %raw = %dt : !per_head)
      states(%h = %state : !state)
      order(%order : tensor<?x?xi32>)
      -> (!query) {
    %step = pattern.softplus %raw : f32
    %rate = math.exp %log_rate : f32
    %fall = arith.mulf %step, %rate : f32
    %log_decay = arith.negf %fall : f32
    %decay = math.exp %log_decay : f32
    %decays = pattern.broadcast %decay : f32 to !matrix
    %kept = arith.mulf %decays, %h : !matrix
    %steps = pattern.broadcast %step : f32 to !read
    %input = arith.mulf %steps, %xt : !read
    %write = pattern.outer %bt, %input : !read, !read
    %new = arith.addf %kept, %write : !matrix
    %out = pattern.read %new, %ct : !matrix, !read
    pattern.yield outputs(%out : !read) states(%new : !matrix)
  }
  return %y, %next : !query, !state
}
