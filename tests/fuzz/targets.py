"""What runs the kernels of the fuzz tests: this machine's CPU, or kernels for CUDA by emulation."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """`--target` of the fuzz tests, and what it asks of them."""

    name: str
    longest: int  # tokens of one call
    elements: int  # of states that one call may visit
    alignment: int  # of operands, in bytes: kernels for GPUs move up to 16 at once
    rounds_products: bool  # in bf16 and f16: states as well, which are exact to f32 elsewhere
    poisons: bool  # draws values that are not finite, which must not reach earlier tokens


TARGETS = {
    "cpu": Target("cpu", 1 << 30, 1 << 40, 1, rounds_products=False, poisons=True),
    # Every access of every thread is checked: a million elements take some seconds. What is not finite reaches
    # earlier tokens of its chunk (docs/roadmap.md).
    "emulate": Target("emulate", 130, 4_000_000, 16, rounds_products=True, poisons=False),
}


def add_target(parser) -> None:
    parser.add_argument("--target", choices=TARGETS, default="cpu", help="what runs the kernels")
