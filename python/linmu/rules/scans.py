"""@scan: a step that is walked along the tokens, with states or, as a map, without."""

from linmu.rules import graph
from linmu.rules.annotations import Zeros
from linmu.rules.broadcasting import converted, number_of, spread
from linmu.rules.loops import Loop, State, outer_of
from linmu.rules.places import Place, error, here
from linmu.rules.values import Continued, Tensor, Value, shown

__all__ = ["Scan", "scan"]


def scan(function=None, /, *, reverse=False, order=None, sequences=None, segments=None, source_mask=None, zeroes=(),
         output_mask=None, dtype=None, **states):  # fmt: skip
    """Makes a step of the function below it: `@scan(S=zeros("H", "K", "V"))`.

    The function takes the states by their names and the slices of one token; it returns the next states, in
    the order of `states`, and then the outputs. Called with the tensors of all tokens (and parameters), it
    gives the outputs for all tokens; the end of state S is `step.S` then, the new tail of an operand
    `x.after(tail)` is `step.x`, that of the segments `step.segments`. What the function uses from outside
    need not be among its arguments. Each state starts at `zeros(...)` or at an operand annotated State[...].

    `reverse` walks from the last token to the first. `order` is the token index of each position (Index or
    token_order). `sequences` is the rule's operand annotated Sequences: each sequence is a walk of its own; in a
    rule with such an operand every scan and map has it. `segments` are ids (Index) where states restart at zero
    whenever the id changes. With
    `source_mask` (Mask) the arguments named in `zeroes` read as zero where it is false; with `output_mask`
    outputs are zero where it is false. `dtype` is the outputs' element type, by default that of the rule's
    first floats.
    """
    trace = graph.current_trace("@scan")
    if trace.block is not None:
        raise error("@scan stands outside steps; a step holds no other")
    options = {"reverse": reverse, "order": order, "segments": segments, "source_mask": source_mask,
               "zeroes": (zeroes,) if isinstance(zeroes, str) else tuple(zeroes), "output_mask": output_mask,
               "dtype": dtype or trace.storage}  # fmt: skip
    if options["dtype"] not in ("f32", "bf16", "f16"):
        raise error(f"dtype of @scan: expected 'f32', 'bf16' or 'f16', got {dtype!r}")
    if sequences is not None:
        outer_of(sequences, "sequences of @scan", "sequences")  # the one of the rule, which loops have
    if bool(options["zeroes"]) != (source_mask is not None):
        raise error(
            'source_mask and zeroes of @scan stand together: expected both, as in source_mask=real, zeroes="k"'
        )
    place = here()

    def decorate(step):
        return Scan(trace, place, step, states, options)

    return decorate if function is None else decorate(function)


class Scan:
    """A step, to be called once with tensors. Afterwards its states' ends and new tails are attributes."""

    def __init__(self, trace, place, function, states, options):
        code = function.__code__
        if code.co_flags & 0x0C or code.co_kwonlyargcount:
            raise error(
                "a step takes its arguments by position: expected no *arguments, **arguments or keyword-only ones"
            )
        names = code.co_varnames[: code.co_argcount]
        for name in states:
            if name not in names:
                raise error(
                    f"the step takes no state '{name}': expected an argument of that name beside {', '.join(names)}"
                )
        self._trace, self._place, self._function = trace, place, function
        self._states, self._options, self._names = states, options, names
        self._loop = None

    def __call__(self, *arguments, **named):
        if self._loop is not None:
            raise error("a step is called once; write a second @scan for a second walk")
        if self._trace is not graph.current_trace("a step"):
            raise error("a step is called in the rule that it stands in")
        given = self._bound(arguments, named)
        loop = Loop(self._trace, here())
        self._clauses(loop)
        values = {}
        for name, start in self._states.items():
            values[name] = Value(self._state(loop, name, start).node)
        for name, argument in given.items():
            values[name] = self._argument(loop, name, argument)
        self._trace.block = loop.block
        try:
            returned = self._function(**values)
            self._yield(loop, returned)
        finally:
            self._trace.block = None
        loop.finish()
        self._trace.add(loop)
        self._loop = loop
        outputs = tuple(Tensor(outer) for _, outer in loop.outputs)
        return outputs[0] if len(outputs) == 1 else outputs

    def _bound(self, arguments, named) -> dict:
        names = [name for name in self._names if name not in self._states]
        defaults = self._function.__defaults__ or ()
        optional = dict(zip(self._names[len(self._names) - len(defaults) :], defaults))
        if len(arguments) > len(names):
            raise error(f"the step takes {len(names)} tensors, {', '.join(names)}; got {len(arguments)}")
        given = dict(zip(names, arguments))
        for name, argument in named.items():
            if name not in names or name in given:
                raise error(f"the step takes {', '.join(names)}, each once; got '{name}'")
            given[name] = argument
        given = {name: value for name, value in optional.items() if name in names} | given
        if missing := [name for name in names if name not in given]:
            raise error(
                f"the step lacks {', '.join(missing)}: expected {len(names)} tensors, got {len(given)}"
            )
        return {name: given[name] for name in names}

    def _clauses(self, loop: Loop) -> None:
        options = self._options
        loop.reverse = bool(options["reverse"])
        for clause, dtype in (
            ("order", "i32"),
            ("segments", "i32"),
            ("source_mask", "i1"),
            ("output_mask", "i1"),
        ):
            given = options[clause]
            if given is None:
                continue
            if clause == "segments" and isinstance(given, Continued):
                loop.segments_tail, given = given.tail.outer, given.tokens
            outer = outer_of(given, f"{clause} of @scan")
            if outer.heads is not None or outer.dtype != dtype:
                wanted = "Mask, bool [batch, tokens]" if dtype == "i1" else "Index, int32 [batch, tokens]"
                raise error(
                    f"{clause} of @scan: expected {wanted}, got '{outer.name}', {outer.form()}", self._place
                )
            setattr(loop, clause, outer)
        for name in options["zeroes"]:
            if name not in self._names or name in self._states:
                names = [name for name in self._names if name not in self._states]
                raise error(
                    f"zeroes of @scan: expected names among {', '.join(names)}, got '{name}'", self._place
                )

    def _state(self, loop: Loop, name: str, start) -> State:
        init = None
        if isinstance(start, Zeros):
            heads, *shape = (self._trace.size(axis, self._place) for axis in start.axes)
        else:
            init = outer_of(start, f"state {name} of @scan", "state")
            heads, shape = init.heads, init.shape
        graph.check_size(tuple(shape), f"state {name}")
        node = graph.Node(loop.block, f"{name}_t", tuple(shape), "f32")
        loop.states.append(State(name, init, heads, node))
        return loop.states[-1]

    def _argument(self, loop: Loop, name: str, argument):
        if (number := number_of(argument)) is not None:
            return number
        tail = None
        if isinstance(argument, Continued):
            argument, tail = argument.tokens, argument.tail.outer
        if (
            isinstance(argument, Value)
            and (source := argument.node.block.loop).is_implicit
            and not source.reads_tokens(argument.node)
        ):
            return Value(source.copied(argument.node, loop), argument.layout)
        if isinstance(argument, Tensor) and argument.outer.kind == "param":
            outer = argument.outer
        else:
            outer = outer_of(argument, f"argument {name} of the step")
        zeroed = name in self._options["zeroes"]
        if zeroed and outer.kind != "tokens":
            raise error(f"zeroes of @scan: expected tokens, got '{name}', {outer.form()}", self._place)
        return Value(loop.add(outer, name, tail, zeroed=zeroed).node)

    def _yield(self, loop: Loop, returned) -> None:
        place = self._end()
        returned = (
            tuple(returned)
            if isinstance(returned, (tuple, list))
            else ()
            if returned is None
            else (returned,)
        )
        states = loop.states
        if len(returned) < max(len(states), 1):
            order = ", ".join(state.name for state in states)
            wanted = f"the next {order} and then the outputs" if states else "the outputs"
            raise error(f"the step returns {len(returned)} values: expected {wanted}", self._end())
        for state, value in zip(states, returned):
            state.next = self._next(loop, state, value)
        for index, value in enumerate(returned[len(states) :]):
            loop.output(
                _own(loop, value, place), self._options["dtype"], f"output {index} of the step", place
            )

    def _next(self, loop: Loop, state: State, value) -> graph.Node:
        value = _own(loop, value, self._end())
        shape = state.node.shape
        scalar = not isinstance(value, Value) or not value.shape
        if not scalar and (value.layout != "full" or value.shape != shape):
            raise error(
                f"the step returns {shown(value)} for state {state.name}: expected its shape, {list(shape)}; the step "
                f"returns the next states first, {', '.join(s.name for s in loop.states)}, and then the outputs",
                self._end(),
            )
        return spread(loop.block, converted(value, "f32"), shape, "f32")

    def _end(self):
        """The return of the step."""
        code = self._function.__code__
        last = max(line for _, _, line in code.co_lines() if line is not None)
        return Place(code.co_filename, last)

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        if self._loop is None:
            raise error(f"step.{name} is known once the step has been called with tensors")
        found = {state.name: state.final for state in self._loop.states}
        for entry in self._loop.entries:
            if entry.final_tail is not None:
                found[entry.name] = entry.final_tail
        if self._loop.final_segments is not None:
            found["segments"] = self._loop.final_segments
        if name not in found:
            known = ", ".join(found) or "none"
            raise error(f"step.{name}: expected a state, or tokens with a tail, of this step; it has {known}")
        return Tensor(found[name])


def _own(loop: Loop, value, place):
    """What a step returns as a value of it, or a number."""
    if isinstance(value, Tensor):
        return loop.imported(value, "return")
    if isinstance(value, Value):
        return value if value.node.block is loop.block else loop.imported_value(value, "return")
    number = number_of(value)
    if number is None:
        raise error(f"a step returns values and numbers, got {type(value).__name__}", place)
    return number
