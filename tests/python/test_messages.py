"""One mistake in an example of docs/patterns.md: the whole message that it gets, as a newcomer reads it.

Each file of tests/python/messages is an example's; a case is its title, what is replaced (`-` once, `-*` wherever
it stands, by what `+` says), and the message without the file's name, or `accepted`."""

import re
from pathlib import Path

import pytest

import linmu

HERE = Path(__file__).resolve().parent
TEXT = (HERE.parents[1] / "docs" / "patterns.md").read_text()
EXAMPLES = {
    re.search(r"func.func @(\w+)", example)[1]: example
    for example in re.findall(r"```mlir\n(.*?)```", TEXT, flags=re.DOTALL)
}


def cases():
    for path in sorted((HERE / "messages").glob("*.txt")):
        for case in path.read_text().strip().split("\n\n"):
            title, *lines = case.splitlines()
            changes = []
            while lines[0].startswith("-"):
                mark, old = lines.pop(0).split(" ", 1)
                new = lines.pop(0).removeprefix("+").removeprefix(" ")
                changes.append((mark, old.replace("\\n", "\n"), new.replace("\\n", "\n")))
            yield pytest.param(path.stem, changes, lines, id=f"{path.stem}, {title}")


@pytest.mark.parametrize(("example", "changes", "expected"), list(cases()))
def test_message(example, changes, expected):
    text = EXAMPLES[example]
    for mark, old, new in changes:
        assert old in text
        text = text.replace(old, new, -1 if mark == "-*" else 1)
    if expected == ["accepted"]:
        assert linmu.explain(text)
        return
    with pytest.raises(linmu.PatternError) as caught:
        linmu.explain(text)
    actual = str(caught.value).strip().replace("<pattern>:", "").splitlines()
    assert actual == expected
