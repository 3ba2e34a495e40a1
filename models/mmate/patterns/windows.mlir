// Local-Swin (Section 3.1.2 of the paper): softmax attention inside windows of 16x4x4 tokens of a video and
// 8x8 of an image; odd layers shift them by half. Queries arrive scaled by 1 / sqrt(D).
!query = tensor<?x?x9x64xf32>
!key_value = tensor<?x?x3x64xf32>

func.func @video(%q: !query, %k: !key_value, %v: !key_value, %media: tensor<?x4xi32>) -> !query {
  %o = pattern.window_attention %q, %k, %v media(%media : tensor<?x4xi32>) window [16, 4, 4] shift [0, 0, 0]
      scale 1.0 wrap masked : (!query, !key_value, !key_value) -> !query
  return %o : !query
}
func.func @video_shifted(%q: !query, %k: !key_value, %v: !key_value, %media: tensor<?x4xi32>) -> !query {
  %o = pattern.window_attention %q, %k, %v media(%media : tensor<?x4xi32>) window [16, 4, 4] shift [8, 2, 2]
      scale 1.0 wrap masked : (!query, !key_value, !key_value) -> !query
  return %o : !query
}
func.func @video_shifted_joined(%q: !query, %k: !key_value, %v: !key_value, %media: tensor<?x4xi32>) -> !query {
  %o = pattern.window_attention %q, %k, %v media(%media : tensor<?x4xi32>) window [16, 4, 4] shift [8, 2, 2]
      scale 1.0 wrap joined : (!query, !key_value, !key_value) -> !query
  return %o : !query
}
func.func @image(%q: !query, %k: !key_value, %v: !key_value, %media: tensor<?x4xi32>) -> !query {
  %o = pattern.window_attention %q, %k, %v media(%media : tensor<?x4xi32>) window [1, 8, 8] shift [0, 0, 0]
      scale 1.0 wrap masked : (!query, !key_value, !key_value) -> !query
  return %o : !query
}
func.func @image_shifted(%q: !query, %k: !key_value, %v: !key_value, %media: tensor<?x4xi32>) -> !query {
  %o = pattern.window_attention %q, %k, %v media(%media : tensor<?x4xi32>) window [1, 8, 8] shift [0, 4, 4]
      scale 1.0 wrap masked : (!query, !key_value, !key_value) -> !query
  return %o : !query
}
func.func @image_shifted_joined(%q: !query, %k: !key_value, %v: !key_value, %media: tensor<?x4xi32>) -> !query {
  %o = pattern.window_attention %q, %k, %v media(%media : tensor<?x4xi32>) window [1, 8, 8] shift [0, 4, 4]
      scale 1.0 wrap joined : (!query, !key_value, !key_value) -> !query
  return %o : !query
}
