"""`linmu generate` and `linmu chat` as a user calls them: positions, standard input, figures, kept state."""

import json
import os
import re
import subprocess

import pytest

from decoder_support import LINMU, ROOT, run, smollm2_path

LINMUC = ROOT / "build" / "bin" / "linmuc"
MODEL = str(smollm2_path())
PROMPT = "What is the capital of France?"
SHORT = ("--max-tokens", "8")


def linmu(*arguments, **options) -> subprocess.CompletedProcess:
    return run([LINMU, *arguments], capture_output=True, text=True, timeout=120, **options)


@pytest.fixture(scope="module")
def answer() -> str:
    done = linmu("generate", "--model", MODEL, "--prompt", PROMPT, *SHORT)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        (MODEL, PROMPT),
        ("--model", MODEL, PROMPT),
        (PROMPT, "--model", MODEL),
        (MODEL, "--prompt", PROMPT),
        ("--prompt", PROMPT, MODEL),
        ("--", MODEL, PROMPT),
    ],
)
def test_model_and_prompt_are_given_by_position_or_by_option(answer, arguments):
    done = linmu("generate", *SHORT, *arguments)
    assert (done.returncode, done.stdout) == (0, answer)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "MODEL is required"),
        ((MODEL,), "PROMPT is required"),
        (("--prompt", "x"), "MODEL is required"),
        ((MODEL, "x", "y"), "y"),
        (("--model", MODEL, "x", "y"), "y"),
        (("--model", MODEL, "--prompt", "x", "y"), "y"),
    ],
)
def test_what_is_missing_or_too_much_is_named(arguments, message):
    done = linmu("generate", *arguments)
    assert done.returncode == 2 and done.stdout == ""
    assert message in done.stderr.splitlines()[0]


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
@pytest.mark.parametrize("arguments", [(MODEL, "-"), ("--model", MODEL, "--prompt", "-")])
def test_a_prompt_comes_from_the_standard_input(answer, arguments, ending):
    done = linmu("generate", *arguments, *SHORT, input=PROMPT + ending)
    assert (done.returncode, done.stdout) == (0, answer)


def test_a_wait_for_the_standard_input_is_said():
    process = subprocess.Popen(
        [LINMU, "generate", MODEL, "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        assert process.stderr.readline() == b"linmu: waiting for the standard input\n"
    finally:
        process.kill()
        process.communicate()


def test_figures_come_as_json(answer):
    done = linmu("generate", MODEL, PROMPT, *SHORT, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    (line,) = done.stdout.splitlines()
    figures = json.loads(line)
    assert figures["text"] + "\n" == answer
    assert figures["stopped"] or figures["generated_tokens"] == 8
    assert figures["prompt_tokens"] > len(PROMPT.split())
    assert figures["context_tokens"] >= figures["prompt_tokens"]
    for key in ("prefill_seconds", "decode_seconds", "tokens_per_second"):
        assert figures[key] > 0


MESSAGES = ["My name is Ann and I live in Paris.", "What is my name?", "And where do I live?"]


def chat(*arguments, messages=tuple(MESSAGES), ending="\n") -> subprocess.CompletedProcess:
    limit = () if "--max-tokens" in arguments else ("--max-tokens", "24")
    return linmu("chat", MODEL, *limit, *arguments, input="\n".join(messages) + ending)


@pytest.fixture(scope="module")
def turns() -> list[dict]:
    done = chat("--json")
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_chat_keeps_its_state(turns):
    """A turn prefills its own message alone, and its answer is that to the whole conversation at once."""
    assert len(turns) == 3
    system = "You are a helpful AI assistant named SmolLM, trained by Hugging Face"
    text, context = f"<|im_start|>system\n{system}<|im_end|>\n", 0
    for index, (message, turn) in enumerate(zip(MESSAGES, turns)):
        text += f"<|im_start|>user\n{message}<|im_end|>\n<|im_start|>assistant\n"
        whole = linmu("generate", MODEL, text, "--raw", "--special", "--json", "--max-tokens", "24")
        figures = json.loads(whole.stdout)
        assert figures["text"] == turn["text"]
        # Every token of the conversation is prefilled or decoded once.
        new = figures["prompt_tokens"] - context
        assert turn["prompt_tokens"] == new
        assert index == 0 or new < 40 < figures["prompt_tokens"]
        assert turn["context_tokens"] == figures["context_tokens"]
        context = turn["context_tokens"]
        text += turn["text"] + "<|im_end|>\n"


def test_a_chat_prints_its_answers_in_order(turns):
    for ending in ("\n", "", "\r\n\r\n  \n"):
        done = chat(ending=ending)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == "".join(turn["text"] + "\n" for turn in turns)


def test_a_chat_answers_before_the_next_message():
    process = subprocess.Popen(
        [LINMU, "chat", "--model", MODEL, "--max-tokens", "4"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"OMP_WAIT_POLICY": "passive"},
    )
    try:
        for _ in range(2):
            process.stdin.write(b"Say yes.\n")
            process.stdin.flush()
            assert process.stdout.readline().strip()
        process.stdin.close()
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()


def test_a_chat_takes_a_system_message():
    figures = [
        json.loads(chat("--json", *more, messages=["Hi."], ending="\n").stdout)
        for more in ((), ("--system", "Answer in one word."))
    ]
    assert figures[0]["prompt_tokens"] != figures[1]["prompt_tokens"]


@pytest.mark.parametrize("first", [(), ("Hi.",)], ids=["first turn", "second turn"])
def test_control_tokens_that_a_user_says_are_text_unless_asked_for(first):
    """A control token is one id, and several as text; those of the template are ids either way."""
    tokens = {}
    for message in ("Yes.", "Yes.<|im_end|>"):
        for special in ((), ("--special",)):
            done = chat("--json", "--max-tokens", "2", *special, messages=[*first, message])
            assert (done.returncode, done.stderr) == (0, "")
            *_, turn = map(json.loads, done.stdout.splitlines())
            tokens[message, special] = turn["prompt_tokens"]
    assert tokens["Yes.", ()] == tokens["Yes.", ("--special",)]
    assert tokens["Yes.<|im_end|>", ("--special",)] == tokens["Yes.", ()] + 1
    assert tokens["Yes.<|im_end|>", ()] > tokens["Yes.", ()] + 1


@pytest.mark.parametrize("option", ["--temperature=inf", "--top-p=2", "--max-tokens=-1"])
def test_an_option_out_of_range_is_refused_though_nothing_is_said(option):
    done = linmu("chat", MODEL, option, stdin=subprocess.DEVNULL)
    assert (done.returncode, done.stdout) == (1, "")
    assert "must be" in done.stderr


@pytest.mark.parametrize(
    ("option", "text"),
    [("--max-tokens", "9" * 30), ("--seed", "9" * 30), ("--seed", "-1"), ("--seed", "010"),
     ("--max-tokens", "true"), ("--max-tokens", "0x10"), ("--seed", "18446744073709551616")],
)  # fmt: skip
def test_what_is_no_whole_number_of_64_bits_is_refused(option, text):
    done = linmu("generate", MODEL, "Hi", option, text)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{option}: must be a whole number from " in done.stderr and f"got '{text}'" in done.stderr


def test_weights_that_are_asked_for_must_be_there(tmp_path):
    done = linmu("generate", str(tmp_path), "Hi", "--weights=packed")
    assert done.returncode == 1
    assert "holds no weights that are packed as Q4_0, Q4_1 or Q8_0" in done.stderr


def test_work_that_is_silent_for_long_is_said():
    prompt = "It was a dark night. " * 40
    done = linmu("generate", MODEL, "-", "--json", "--max-tokens", "120", input=prompt, notices=True)
    assert done.returncode == 0
    assert re.search(r"^linmu: answering a prompt of \d{3} tokens$", done.stderr, re.MULTILINE)


def test_a_folder_that_was_removed_is_named(tmp_path):
    command = f"mkdir gone && cd gone && rmdir ../gone && exec {LINMU} generate {MODEL} Hi --max-tokens 1"
    done = run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("linmu: error: the folder that this runs in cannot be named: No such file")


def test_a_chat_without_a_message_ends_well():
    done = linmu("chat", MODEL, stdin=subprocess.DEVNULL)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


ALWAYS_PRINTING = [
    [LINMU, "--help"],
    [LINMU, "generate", "--help"],
    [LINMU, "settings"],
    [LINMUC, "--help"],
    [LINMU, "generate", MODEL, "Hi", "--max-tokens", "2"],
    [LINMU, "generate", MODEL, "Hi", "--max-tokens", "2", "--json"],
    [LINMU, "chat", MODEL, "--max-tokens", "2"],
]


@pytest.mark.parametrize(
    "command", ALWAYS_PRINTING, ids=lambda command: " ".join([command[0].name, *command[1:2]])
)
@pytest.mark.parametrize("output", ["full", "closed", "left"])
def test_output_that_cannot_be_written_is_a_failure(command, output):
    if output == "left":  # as `| head -c1` leaves a pipe
        reader, writer = os.pipe()
        os.close(reader)
    else:
        writer = os.open("/dev/full", os.O_WRONLY)
    options = (
        {"close_fds": True, "preexec_fn": lambda: os.close(1)} if output == "closed" else {"stdout": writer}
    )
    done = run(command, input="Hi\n", stderr=subprocess.PIPE, text=True, timeout=120, **options)
    os.close(writer)
    assert done.returncode == 1
    program = command[0].name
    reason = {"full": "No space left on device", "closed": "Bad file descriptor", "left": "Broken pipe"}[
        output
    ]
    assert done.stderr == f"{program}: error: the standard output cannot be written: {reason}\n"


@pytest.mark.parametrize("program", [LINMU, LINMUC])
def test_an_error_that_nobody_can_read_is_still_a_failure(program):
    for redirection in ("2>/dev/full", "2>&-", "2>&- >&- <&-"):
        arguments = "generate /none x" if program == LINMU else "/none --explain"
        done = run(f"{program} {arguments} {redirection}", shell=True)
        assert done.returncode == 1, redirection
