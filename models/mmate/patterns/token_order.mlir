// Rotary Major Scan (Section 3.1.1): the four orders in which a layer visits the tokens of a media item.
!tokens = tensor<?x?x1xf32>

func.func @order0(%media: tensor<?x4xi32>, %like: !tokens) -> tensor<?x?xi32> {
  %o = pattern.token_order #pattern.order<t, y, x> media(%media : tensor<?x4xi32>) like %like : !tokens -> tensor<?x?xi32>
  return %o : tensor<?x?xi32>
}
func.func @order1(%media: tensor<?x4xi32>, %like: !tokens) -> tensor<?x?xi32> {
  %o = pattern.token_order #pattern.order<t, x, y> media(%media : tensor<?x4xi32>) like %like : !tokens -> tensor<?x?xi32>
  return %o : tensor<?x?xi32>
}
func.func @order2(%media: tensor<?x4xi32>, %like: !tokens) -> tensor<?x?xi32> {
  %o = pattern.token_order #pattern.order<y, x, t> media(%media : tensor<?x4xi32>) like %like : !tokens -> tensor<?x?xi32>
  return %o : tensor<?x?xi32>
}
func.func @order3(%media: tensor<?x4xi32>, %like: !tokens) -> tensor<?x?xi32> {
  %o = pattern.token_order #pattern.order<x, y, t> media(%media : tensor<?x4xi32>) like %like : !tokens -> tensor<?x?xi32>
  return %o : tensor<?x?xi32>
}
