"""Generation beside other programs on the same processors."""

import json
import os
import subprocess
import sys

import pytest

from decoder_support import LINMU, smollm2_path


def tokens_per_second() -> float:
    command = [LINMU, "generate", smollm2_path(), "Tell me a story.", "--max-tokens", "32", "--json"]
    environment = {
        key: value for key, value in os.environ.items() if key not in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")
    }
    done = subprocess.run(command, env=environment, capture_output=True, check=True, timeout=300)
    return json.loads(done.stdout)["tokens_per_second"]


def share_on_a_busy_machine() -> float:
    quiet = tokens_per_second()
    busy = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"])
        for _ in range(2 * len(os.sched_getaffinity(0)))
    ]
    try:
        return tokens_per_second() / quiet
    finally:
        for process in busy:
            process.kill()
            process.wait()


@pytest.mark.alone
def test_a_busy_machine_leaves_generation_a_fifth_of_its_speed():
    """With two busy processes for each processor a third is what a fair share gives. Where threads spin for long while
    they wait for one that has no processor, a twentieth is left, however often one looks. Other programs of the
    machine are not asked to stand still, so it is looked at up to four times."""
    shares = []
    while len(shares) < 4 and max(shares, default=0) <= 1 / 5:
        shares.append(share_on_a_busy_machine())
    assert max(shares) > 1 / 5, shares
