"""Orders of tokens: the index of a symbolic order, and tensors reordered by one."""

from linmu.rules import graph
from linmu.rules.loops import outer_of
from linmu.rules.places import error, here
from linmu.rules.values import Tensor

__all__ = ["Permute", "TokenOrder", "permute", "token_order"]


class TokenOrder:
    """pattern.token_order"""

    def __init__(self, axes, media, like, result, place):
        self.axes, self.media, self.like, self.result, self.place = axes, media, like, result, place

    def results(self):
        return [self.result]


class Permute:
    """pattern.permute"""

    def __init__(self, source, order, inverse, result, place):
        self.source, self.order, self.inverse = source, order, inverse
        self.result, self.place = result, place

    def results(self):
        return [self.result]


def _outside(what: str) -> graph.Trace:
    trace = graph.current_trace(what)
    if trace.block is not None:
        raise error(f"{what} reorders tensors of all tokens: expected it outside steps")
    if trace.carry:
        raise error(
            f"a decoder extends by the next tokens, and {what} needs all of them; decode a rule without it"
        )
    return trace


def token_order(*axes, media, like) -> Tensor:
    """The token at each position when each media item is walked along `axes`, the slowest first:
    token_order("x", "y", "t", media=media, like=q). `media` is a table annotated Media, `like` any tokens."""
    what = "token_order(...)"
    trace = _outside(what)
    if sorted(axes) != ["t", "x", "y"]:
        raise error(f'{what}: expected "t", "y" and "x", each once, the slowest first; got {axes!r}')
    table, tokens = outer_of(media, f"media of {what}", "media"), outer_of(like, f"like of {what}")
    result = graph.Outer("tokens", "order", "i32", None, (), here())
    trace.add(TokenOrder(axes, table, tokens, result, here()))
    return Tensor(result)


def permute(x, order, inverse: bool = False) -> Tensor:
    """The tokens of x by an order: token order[p] at position p; with `inverse` token p at position order[p]."""
    what = "permute(x, order)"
    trace = _outside(what)
    source, index = outer_of(x, what), outer_of(order, what)
    if index.heads is not None or index.dtype != "i32":
        raise error(
            f"{what}: expected an order, Index, int32 [batch, tokens], got '{index.name}', {index.form()}"
        )
    result = graph.Outer(
        "tokens", f"{source.name}_permuted", source.dtype, source.heads, source.shape, here()
    )
    trace.add(Permute(source, index, bool(inverse), result, here()))
    return Tensor(result)
