"""Random window attentions against Video Swin's padded grid in numpy. Ends with `N passed, N failed`.

Step i of a run with seed S draws from seed S + i, so that a failure is repeated with `--seed S+i --steps 1`.
`--target emulate` runs kernels for CUDA on the host.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "python"))

from targets import add_target  # noqa: E402
from window_cases import check, random_case  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0, help="of the first window; each has the next one")
    add_target(parser)
    arguments = parser.parse_args()
    failed = 0
    for seed in range(arguments.seed, arguments.seed + arguments.steps):
        try:
            problem = check(random_case(seed), seed, target=arguments.target)
        except (ValueError, RuntimeError) as error:
            problem = str(error)
        if problem:
            failed += 1
            print(f"FAILED: --seed {seed} --steps 1: {problem}", flush=True)
    print(f"{arguments.steps - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
