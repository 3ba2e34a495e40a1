"""Random recurrences in the normal form, as data: the loop and the text are both made from it.

Per token and head, with a state S (K x V), its decay a, writes i and queries j:
    u_i = read_i^T (a S)           feedback, where a write has it; sequential: of the state with the writes before
    w_i = b_i (v_i - u_i)          or b_i v_i, or v_i
    S'  = a S + sum_i key_i w_i^T  a S + c Z in all of these, where it takes another state Z
    y_j = query_j^T S'             or of S, or of a S
States may lack the key axis (K = 1), the value axis (V = 1) or both.
"""

from dataclasses import dataclass, field

# What a step may do that leaves the normal form; loop.py and step_text.py know each by its name.
OPAQUE = (
    "tanh of the state",
    "maximum of the state",
    "full matrix of decays",
    "decay by value column beside feedback",
    "decay of unknown range",
    "decay by its own read",
    "tanh of the feedback",
    "square of the feedback",
    "feedback by value column",
    "states that read each other",
)


@dataclass(frozen=True)
class Token:
    """A token operand [B, N, heads, features]; [B, N, heads] without features, [B, N] without heads."""

    name: str
    heads: int
    features: int
    dtype: str = "f32"
    lags: int = 0  # what the step uses is a weighted sum of the values 0 to `lags` tokens ago
    tail: int = 0  # the length of its tail operand
    otherwise: bool = False  # before the first token a lag gives this token's value
    masked: bool = False  # by the source mask

    @property
    def type(self) -> str:
        extents = [str(n) for n in (self.heads, self.features) if n]
        return f"tensor<{'x'.join(['?', '?', *extents, self.dtype])}>"

    @property
    def tail_type(self) -> str:
        extents = [str(n) for n in (self.tail, self.heads, self.features) if n]
        return f"tensor<{'x'.join(['?', *extents, self.dtype])}>"


@dataclass(frozen=True)
class Param:
    name: str
    heads: int
    features: int
    dtype: str = "f32"

    @property
    def type(self) -> str:
        extents = [str(n) for n in (self.heads, self.features) if n]
        return f"tensor<{'x'.join([*extents, self.dtype])}>"


@dataclass(frozen=True)
class Decay:
    shape: str = "none"  # "none", "scalar", "row" (along the keys), "column" (along the values)
    source: str = "direct"  # a key of operands.DECAYS: how tokens and params give it
    token: str = ""
    params: tuple[str, ...] = ()
    across: bool = False  # the value columns decay too, by the sigmoid of a cosine of the first write's value


@dataclass(frozen=True)
class Write:
    key: str = ""  # token names; empty: one
    value: str = ""
    scale: str = ""
    feedback: str = ""  # the token with which the state is read; empty: no feedback
    sequential: bool = False
    chained: bool = False  # tanh of the first read of the first state is added to the value


@dataclass(frozen=True)
class Read:
    state: int
    query: str
    when: str = "after"  # the writes; "before", "decayed", or "bonus": before, plus this token's write
    bonus: str = ""  # the param that scales the key of the bonus


@dataclass(frozen=True)
class Output:
    reads: tuple[Read, ...]  # summed
    features: int
    epilogue: str = "none"  # "tanh", "gate", "norm", "skip", "divide"
    operand: str = ""  # of the epilogue: a token or a param
    divisor: Read | None = None


@dataclass(frozen=True)
class State:
    name: str
    key_size: int  # 0: no such axis
    value_size: int
    decay: Decay
    writes: tuple[Write, ...]
    initial: bool
    transposed: bool
    # The token, a number, by which it takes what the other of the two first states was; they are of one kind.
    mixed: str = ""

    @property
    def shape(self) -> tuple[int, ...]:
        """As it is stored."""
        axes = (self.value_size, self.key_size) if self.transposed else (self.key_size, self.value_size)
        return tuple(n for n in axes if n)


@dataclass
class Recurrence:
    seed: int
    batch: int
    heads: int
    weak: bool  # decays in [0.999, 1]
    opaque: str  # one of OPAQUE, or empty
    longest: int
    tokens: dict[str, Token] = field(default_factory=dict)
    params: dict[str, Param] = field(default_factory=dict)
    states: list[State] = field(default_factory=list)
    outputs: list[Output] = field(default_factory=list)
    storage: str = "f32"
    reverse: bool = False
    ordered: bool = False
    segmented: bool = False
    segments_tail: bool = False  # the id before the first is an operand, the last a result
    output_masked: bool = False
    ragged: bool = False  # the batch is one, and a table says where its sequences begin
    skip: str = ""  # the token that leaves all states as they are where it says so

    @property
    def source_masked(self) -> bool:
        return any(token.masked for token in self.tokens.values())

    @property
    def feedback(self) -> bool:
        return any(write.feedback for state in self.states for write in state.writes)

    def results(self) -> list[str]:
        """What the results stand for, in their order."""
        tails = [f"{token.name}tail" for token in self.tokens.values() if token.tail]
        tails += ["segmentstail"] if self.segments_tail else []
        return [*(f"o{i}" for i in range(len(self.outputs))), *(state.name for state in self.states), *tails]

    @property
    def resumable(self) -> bool:
        """What one call leaves behind is all that the next one needs."""
        return (
            all(state.initial for state in self.states)
            and all(token.tail for token in self.tokens.values() if token.lags)
            and self.segmented == self.segments_tail
        )
