// Local-Swin (Section 3.1.2 of the paper): softmax attention inside windows, 16x4x4 tokens of a video and 8x8
// of an image in the paper; odd layers shift them by half. Queries arrive scaled by 1 / sqrt(D).
!query = tensor<?x?x9x64xf32>
!key_value = tensor<?x?x3x64xf32>
#video = array<i64: 16, 4, 4>
#half_video = array<i64: 8, 2, 2>
#image = array<i64: 1, 8, 8>
#half_image = array<i64: 0, 4, 4>

func.func @video(%q: !query, %k: !key_value, %v: !key_value, %media: tensor<?x4xi32>) -> !query {
  %o = pattern.window_attention %q, %k, %v media(%media : tensor<?x4xi32>) window #video shift [0, 0, 0]
      scale 1.0 wrap masked : (!query, !key_value, !key_value) -> !query
  return %o : !query
}
func.func @video_shifted(%q: !query, %k: !key_value, %v: !key_value, %media: tensor<?x4xi32>) -> !query {
  %o = pattern.window_attention %q, %k, %v media(%media : tensor<?x4xi32>) window #video shift #half_video
      scale 1.0 wrap masked : (!query, !key_value, !key_value) -> !query
  return %o : !query
}
func.func @video_shifted_joined(%q: !query, %k: !key_value, %v: !key_value, %media: tensor<?x4xi32>) -> !query {
  %o = pattern.window_attention %q, %k, %v media(%media : tensor<?x4xi32>) window #video shift #half_video
      scale 1.0 wrap joined : (!query, !key_value, !key_value) -> !query
  return %o : !query
}
func.func @image(%q: !query, %k: !key_value, %v: !key_value, %media: tensor<?x4xi32>) -> !query {
  %o = pattern.window_attention %q, %k, %v media(%media : tensor<?x4xi32>) window #image shift [0, 0, 0]
      scale 1.0 wrap masked : (!query, !key_value, !key_value) -> !query
  return %o : !query
}
func.func @image_shifted(%q: !query, %k: !key_value, %v: !key_value, %media: tensor<?x4xi32>) -> !query {
  %o = pattern.window_attention %q, %k, %v media(%media : tensor<?x4xi32>) window #image shift #half_image
      scale 1.0 wrap masked : (!query, !key_value, !key_value) -> !query
  return %o : !query
}
func.func @image_shifted_joined(%q: !query, %k: !key_value, %v: !key_value, %media: tensor<?x4xi32>) -> !query {
  %o = pattern.window_attention %q, %k, %v media(%media : tensor<?x4xi32>) window #image shift #half_image
      scale 1.0 wrap joined : (!query, !key_value, !key_value) -> !query
  return %o : !query
}
