// Flex-MA (Section 3.1.1 of the paper): both directions of a masked Mamba-2 (Eq. 1 and 2), fused by a gate (Eq. 3).
// In each direction a state that decays by exp(dt A), A = -exp(a_log), takes in dt B x^T and is read with C.
// Masks are data, so that every reading of the paper is one kernel: `source` says which tokens write in the reverse
// direction, `moving` for which its state decays, `target` which tokens read it, `gated` where the gate is learnt
// (elsewhere it is 1), and its state restarts where `segment` changes. The fused heads are multiplied by
// weight / sqrt(share mean(y^2) + epsilon): RMSNorm with share 1, weight alone with share 0 and epsilon 1.
!query = tensor<?x?x9x64xf32>
!key_value = tensor<?x?x3x64xf32>
!per_head = tensor<?x?x9xf32>
!state = tensor<?x9x64x64xf32>
!head_scalar = tensor<9xf32>
!head_vector = tensor<9x64xf32>
!read = tensor<64xf32>
!matrix = tensor<64x64xf32>
!mask = tensor<?x?xi1>

func.func @flex(%c: !query, %b: !key_value, %x: !key_value, %order: tensor<?x?xi32>,
                %forward_dt: !per_head, %forward_a_log: !head_scalar, %state: !state,
                %reverse_dt: !per_head, %reverse_a_log: !head_scalar, %segment: tensor<?x?xi32>,
                %source: !mask, %moving: !mask, %target: !mask,
                %gate: !per_head, %gated: !mask,
                %weight: !head_vector, %share: !head_scalar, %epsilon: !head_scalar) -> (!query, !state) {
  %forward, %next = pattern.scan
      params(%log_rate = %forward_a_log : !head_scalar)
      tokens(%ct = %c : !query, %bt = %b : !key_value, %xt = %x : !key_value, %raw = %forward_dt : !per_head)
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
  %reverse, %first = pattern.scan reverse
      params(%log_rate = %reverse_a_log : !head_scalar)
      tokens(%ct = %c : !query, %bt = %b : !key_value, %xt = %x : !key_value, %raw = %reverse_dt : !per_head,
             %moves = %moving : !mask)
      states(%h = zero : !state)
      order(%order : tensor<?x?xi32>)
      segments(%segment : tensor<?x?xi32>)
      source_mask(%source : !mask) zeroes(%bt)
      output_mask(%target : !mask)
      -> (!query) {
    %one = arith.constant 1.0 : f32
    %step = pattern.softplus %raw : f32
    %rate = math.exp %log_rate : f32
    %fall = arith.mulf %step, %rate : f32
    %log_decay = arith.negf %fall : f32
    %decay = math.exp %log_decay : f32
    %held = arith.select %moves, %decay, %one : f32
    %decays = pattern.broadcast %held : f32 to !matrix
    %kept = arith.mulf %decays, %h : !matrix
    %steps = pattern.broadcast %step : f32 to !read
    %input = arith.mulf %steps, %xt : !read
    %write = pattern.outer %bt, %input : !read, !read
    %new = arith.addf %kept, %write : !matrix
    %out = pattern.read %new, %ct : !matrix, !read
    pattern.yield outputs(%out : !read) states(%new : !matrix)
  }
  %y = pattern.map
      params(%scale = %weight : !head_vector, %part = %share : !head_scalar, %eps = %epsilon : !head_scalar)
      tokens(%ahead = %forward : !query, %back = %reverse : !query, %logit = %gate : !per_head,
             %learnt = %gated : !mask)
      -> (!query) {
    %one = arith.constant 1.0 : f32
    %chosen = pattern.sigmoid %logit : f32
    %g = arith.select %learnt, %chosen, %one : f32
    %rest = arith.subf %one, %g : f32
    %gs = pattern.broadcast %g : f32 to !read
    %rests = pattern.broadcast %rest : f32 to !read
    %kept = arith.mulf %gs, %ahead : !read
    %added = arith.mulf %rests, %back : !read
    %fused = arith.addf %kept, %added : !read
    %power = pattern.dot %fused, %fused : !read
    %ones = arith.constant dense<1.0> : !read
    %count = pattern.dot %ones, %ones : !read
    %mean = arith.divf %power, %count : f32
    %shared = arith.mulf %part, %mean : f32
    %safe = arith.addf %shared, %eps : f32
    %inverse = math.rsqrt %safe : f32
    %inverses = pattern.broadcast %inverse : f32 to !read
    %unit = arith.mulf %inverses, %fused : !read
    %out = arith.mulf %scale, %unit : !read
    pattern.yield outputs(%out : !read)
  }
  return %y, %next : !query, !state
}
