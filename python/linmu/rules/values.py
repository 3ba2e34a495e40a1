"""Values of a step, with numpy's operators and broadcasting, and the tensors outside that a step may use."""

from linmu.rules import graph
from linmu.rules.places import error

__all__ = ["Continued", "Operators", "Tensor", "Transposed", "Value", "shown"]


def shown(operand) -> str:
    """An operand for messages: its element type and shape, or the number."""
    if isinstance(operand, Value):
        return f"{operand.dtype}{list(operand.shape)}" if operand.shape else operand.dtype
    if isinstance(operand, Tensor):
        return operand.outer.form()
    return repr(operand)


_NO_SHAPES = "the pattern language has no slices, reshapes or concatenations of a value; hand the parts over as operands"
# What numpy and torch have, and values do not.
_NOT_THERE = {
    **dict.fromkeys(("max", "min", "amax", "argmax", "argmin", "softmax"),
                    "the pattern language has no maximum over an axis; where the numbers are moderate, exp(x) / exp(x).sum() "
                    "is their softmax"),
    **dict.fromkeys(("reshape", "view", "split", "chunk", "flatten", "squeeze", "unsqueeze"), _NO_SHAPES),
    **dict.fromkeys(("cumsum", "cumprod", "prod"), "the pattern language has no such sum; a state adds up over tokens"),
    **dict.fromkeys(("exp", "log", "sqrt", "sigmoid", "tanh", "softplus", "abs"), "write the function, as in exp(x)"),
    **dict.fromkeys(("transpose", "permute", "t"), "write S.T in k @ S.T or S.T @ k"),
    **dict.fromkeys(("norm", "var", "std"), "write it with sums, as in sqrt(x @ x)"),
}  # fmt: skip


class Operators:
    """Python's operators on whatever a step computes with."""

    __slots__ = ()
    __array_ufunc__ = None  # numpy arrays and numbers leave the operators to this class
    __hash__ = object.__hash__

    def __add__(self, other):
        return arithmetic.arithmetic("+", self, other)

    def __radd__(self, other):
        return arithmetic.arithmetic("+", other, self)

    def __sub__(self, other):
        return arithmetic.arithmetic("-", self, other)

    def __rsub__(self, other):
        return arithmetic.arithmetic("-", other, self)

    def __mul__(self, other):
        return arithmetic.arithmetic("*", self, other)

    def __rmul__(self, other):
        return arithmetic.arithmetic("*", other, self)

    def __truediv__(self, other):
        return arithmetic.arithmetic("/", self, other)

    def __rtruediv__(self, other):
        return arithmetic.arithmetic("/", other, self)

    def __pow__(self, other):
        return arithmetic.power(self, other)

    def __rpow__(self, other):
        return arithmetic.power(other, self)

    def __matmul__(self, other):
        return arithmetic.matmul(self, other)

    def __rmatmul__(self, other):
        return arithmetic.matmul(other, self)

    def __and__(self, other):
        return arithmetic.logical("&", self, other)

    def __rand__(self, other):
        return arithmetic.logical("&", other, self)

    def __or__(self, other):
        return arithmetic.logical("|", self, other)

    def __ror__(self, other):
        return arithmetic.logical("|", other, self)

    def __xor__(self, other):
        return arithmetic.logical("^", self, other)

    def __rxor__(self, other):
        return arithmetic.logical("^", other, self)

    def __neg__(self):
        return arithmetic.negated(self)

    def __pos__(self):
        return self

    def __abs__(self):
        return arithmetic.absolute(self)

    def __invert__(self):
        return arithmetic.inverted(self)

    def __lt__(self, other):
        return arithmetic.compared("<", self, other)

    def __le__(self, other):
        return arithmetic.compared("<=", self, other)

    def __gt__(self, other):
        return arithmetic.compared(">", self, other)

    def __ge__(self, other):
        return arithmetic.compared(">=", self, other)

    def __eq__(self, other):
        return arithmetic.compared("==", self, other)

    def __ne__(self, other):
        return arithmetic.compared("!=", self, other)

    def __floordiv__(self, other):
        raise error("the pattern language has no division towards minus infinity; write quotient(a, b), which rounds "
                    "towards zero")  # fmt: skip

    __rfloordiv__ = __floordiv__

    def __mod__(self, other):
        raise error("the pattern language has no remainder of Python's sign; write remainder(a, b), which has the sign "
                    "of a")  # fmt: skip

    __rmod__ = __mod__

    def __bool__(self):
        raise error(f"{shown(self)} is known only when the rule runs, so that no `if`, `and`, `or`, `not` or chain of "
                    "comparisons can ask for it; write where(condition, a, b), and & | ~ between conditions")  # fmt: skip

    def __float__(self):
        raise error(f"{shown(self)} is known only when the rule runs, and is no Python number; use the functions of "
                    "linmu, such as linmu.exp, in place of those of math")  # fmt: skip

    __int__ = __index__ = __float__

    def __iter__(self):
        raise error("a rule has no loops over the elements of a value; write the whole vector or matrix")

    def __len__(self):
        if not self.shape:
            raise error("a number per token and head has no length")
        return self.shape[0]

    def __getitem__(self, index):
        return arithmetic.indexed(self, index)

    def __setitem__(self, index, value):
        raise error("a value is not written in place; write a new one, as in S = S + outer(k, v)")

    def __getattr__(self, name):
        if name not in _NOT_THERE:
            raise AttributeError(f"'{type(self).__name__}' has no attribute '{name}'")
        raise error(f"x.{name}: {_NOT_THERE[name]}")

    @property
    def T(self):
        return Transposed(self)

    def sum(self, axis=None, keepdims=False):
        return arithmetic.total(self, axis, keepdims)

    def mean(self, axis=None, keepdims=False):
        extents = self.shape if axis is None else (self.shape[axis],)
        count = 1
        for extent in extents:
            count *= extent
        return arithmetic.total(self, axis, keepdims) / count


class Tensor(Operators):
    """A tensor of all tokens, or a parameter: outside a step as a whole, inside one the slice of its token."""

    __slots__ = ("outer",)

    def __init__(self, outer: graph.Outer):
        self.outer = outer

    @property
    def shape(self) -> tuple:
        """Of the slice that a step sees."""
        return self.outer.shape

    @property
    def dtype(self) -> str:
        return self.outer.dtype

    @property
    def heads(self):
        return self.outer.heads

    def after(self, tail):
        """These tokens behind those of a tail: what lags, or segments, of the first tokens look back at."""
        return Continued(self, tail)

    def __repr__(self):
        return f"<{self.outer.kind} {self.outer.name}: {self.outer.form()}>"


class Continued:
    """Tokens with the tail that stands before them."""

    __slots__ = ("tail", "tokens")

    def __init__(self, tokens, tail):
        for what, given, kind in (("x", tokens, "tokens"), ("tail", tail, "tail")):
            if not isinstance(given, Tensor) or given.outer.kind != kind:
                wanted = (
                    "tokens, annotated Tokens[...]"
                    if kind == "tokens"
                    else 'a tail, annotated Tail[1, "H", "K"]'
                )
                raise error(f"x.after(tail): expected {what} to be {wanted}, got {shown(given)}")
        if (tokens.outer.heads, tokens.shape, tokens.dtype) != (tail.outer.heads, tail.shape, tail.dtype):
            raise error(f"x.after(tail): expected a tail of the tokens' heads, features and type, got {shown(tail)} "
                        f"for {shown(tokens)}")  # fmt: skip
        self.tokens, self.tail = tokens, tail


class Value(Operators):
    """A number, vector or matrix of one token and head. `shape` is numpy's; the node lacks axes of extent 1
    that stand in it only to broadcast: `layout` is "full", "column" for (K, 1) or "row" for (1, V)."""

    __slots__ = ("layout", "node", "shape")

    def __init__(self, node: graph.Node, layout: str = "full"):
        self.node, self.layout = node, layout
        n = node.shape
        self.shape = n if layout == "full" else (*n, 1) if layout == "column" else (1, *n)

    @property
    def dtype(self) -> str:
        return self.node.dtype

    def __repr__(self):
        return f"<{shown(self)} in a step>"


class Transposed:
    """`S.T`, to be multiplied."""

    __slots__ = ("_value",)
    __array_ufunc__ = None

    def __init__(self, value):
        self._value = value

    @property
    def T(self):
        return self._value

    def __matmul__(self, other):
        return arithmetic.matmul(other, self._value)

    def __rmatmul__(self, other):
        return arithmetic.matmul(self._value, other)

    def __getattr__(self, name):
        raise error("the pattern language has no transposed matrix by itself: a S.T stands in k @ S.T or S.T @ k only; "
                    "write outer(b, a) for the transpose of outer(a, b)")  # fmt: skip

    def _refuse(self, *others):
        self.__getattr__("")

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __neg__ = (
        _refuse
    )


from linmu.rules import arithmetic  # noqa: E402 it needs the classes above
