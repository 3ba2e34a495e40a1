// The reverse direction of Flex-MA (Eq. 2) with the gate that fuses both (Eq. 3), and RMSNorm of the fused heads.
// Masks are data, so that every reading of the paper is one kernel: `source` says which tokens write,
// `moving` for which the state decays, `target` which tokens read it, `gated` where the gate is learnt
// (elsewhere it is 1), and the state restarts where `segment` changes.
!query = tensor<?x?x9x64xf32>
!key_value = tensor<?x?x3x64xf32>
!per_head = tensor<?x?x9xf32>
!state = tensor<?x9x64x64xf32>
!head_scalar = tensor<9xf32>
!head_vector = tensor<9x64xf32>
!read = tensor<64xf32>
!matrix = tensor<64x64xf32>

func.func @flex_reverse_norm(%c: !query, %b: !key_value, %x: !key_value, %dt: !per_head, %a_log: !head_scalar,
                        %order: tensor<?x?xi32>, %segment: tensor<?x?xi32>, %source: tensor<?x?xi1>,
                        %moving: tensor<?x?xi1>, %target: tensor<?x?xi1>, %gated: tensor<?x?xi1>,
                        %forward: !query, %gate: !per_head, %weight: !head_vector, %epsilon: !head_scalar) -> !query {
  %y, %last = pattern.scan reverse
      params(%log_rate = %a_log : !head_scalar,
             %scale = %weight : !head_vector, %eps = %epsilon : !head_scalar)
      tokens(%ct = %c : !query, %bt = %b : !key_value, %xt = %x : !key_value, %raw = %dt : !per_head,
             %moves = %moving : tensor<?x?xi1>, %reads = %target : tensor<?x?xi1>,
             %learnt = %gated : tensor<?x?xi1>, %ahead = %forward : !query, %logit = %gate : !per_head)
      states(%h = zero : !state)
      order(%order : tensor<?x?xi32>)
      segments(%segment : tensor<?x?xi32>)
      source_mask(%source : tensor<?x?xi1>) zeroes(%bt)
      -> (!query) {
    %one = arith.constant 1.0 : f32
    %none = arith.constant dense<0.0> : !read
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
    %all = pattern.read %new, %ct : !matrix, !read
    %back = arith.select %reads, %all, %none : !read
    %chosen = pattern.sigmoid %logit : f32
    %g = arith.select %learnt, %chosen, %one : f32
    %rest = arith.subf %one, %g : f32
    %gs = pattern.broadcast %g : f32 to !read
    %rests = pattern.broadcast %rest : f32 to !read
    %first = arith.mulf %gs, %ahead : !read
    %second = arith.mulf %rests, %back : !read
    %fused = arith.addf %first, %second : !read
    %power = pattern.dot %fused, %fused : !read
    %size = arith.constant dense<1.0> : !read
    %count = pattern.dot %size, %size : !read
    %mean = arith.divf %power, %count : f32
    %safe = arith.addf %mean, %eps : f32
    %inverse = math.rsqrt %safe : f32
    %inverses = pattern.broadcast %inverse : f32 to !read
    %unit = arith.mulf %inverses, %fused : !read
    %out = arith.mulf %scale, %unit : !read
    pattern.yield outputs(%out : !read) states(%new : !matrix)
  }
  return %y : !query
}
