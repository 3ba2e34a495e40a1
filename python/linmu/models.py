"""Models that answer: language models, and those that see pictures and videos, with attention or as LinMU models.

>>> model = linmu.models.load("student")
>>> model.generate([{"role": "user", "content": [
...     {"type": "video", "video": "clip.mp4"}, {"type": "text", "text": "which way does the red circle move?"}]}]).text
'left'

It needs torch, whose library runs them; nothing here takes or gives its tensors.
"""

import ctypes
import operator
import os
import queue
import threading
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Generation", "Model", "load"]

_KINDS = ("text", "image", "video")


@dataclass(frozen=True)
class Generation:
    """An answer: its text and token ids, without the token that ends it, and what it took."""

    text: str
    ids: list[int]
    prompt_tokens: int
    stopped: bool  # by a token that ends a turn, not by max_tokens
    prefill_seconds: float
    decode_seconds: float


class Model:
    """What `load` gives. Any number of threads may call it."""

    def __init__(self, model, path):
        self._model, self._path = model, path

    def __repr__(self):
        return f"<linmu.models.Model {self._path}>"

    @property
    def sees(self) -> bool:
        """Whether messages may have pictures and videos."""
        return self._model.sees

    def generate(
        self, messages, *, max_tokens=256, temperature=0.0, top_p=1.0, seed=0, on_text=None
    ) -> Generation:
        """The assistant's answer to a conversation.

        `messages` is a text, which is the user's only message, or a list of `{"role": ..., "content": ...}` as
        `transformers` takes them: a role is "system", "user" or "assistant", a content a text or a list of
        `{"type": "text", "text": ...}`, `{"type": "image", "image": ...}` and `{"type": "video", "video": ...}`. A
        picture is the path of a file, a PIL image or a uint8 array [H, W, 3], a video the path of a file or a uint8
        array [T, H, W, 3], or a list of pictures; files are resized to what the model reads, arrays are taken as they
        are. Control tokens in texts are text.

        `temperature` 0 takes the most likely token each time. `on_text` is called with each piece of text as it comes.
        """
        answer = self._model.generate(
            _messages(messages),
            _whole(max_tokens, "max_tokens", 2**63 - 1),
            _number(temperature, "temperature"),
            _number(top_p, "top_p"),
            _whole(seed, "seed", 2**64 - 1),
            on_text,
        )
        return Generation(**answer)

    def stream(self, messages, **options):
        """The same, as an iterator over the pieces of text."""
        pieces: queue.Queue = queue.Queue()
        closed = threading.Event()

        def give(text):
            if closed.is_set():
                raise _Closed
            pieces.put((text, None))

        def run():
            try:
                self.generate(messages, on_text=give, **options)
                pieces.put((None, None))
            except _Closed:
                pass
            except BaseException as error:  # for the thread that reads
                pieces.put((None, error))

        threading.Thread(target=run, daemon=True).start()
        try:
            while True:
                text, error = pieces.get()
                if error is not None:
                    raise error
                if text is None:
                    return
                yield text
        finally:
            closed.set()


class _Closed(Exception):
    """Nobody reads the stream any more."""


def load(path, *, device="cpu", weights=None) -> Model:
    """Opens a GGUF file or a Hugging Face folder of the Llama or Qwen2 family, or the folder of a vision-language model;
    what `linmu train` and `linmu distill` write is such a folder.

    `device` is "cpu" or "cuda". `weights` is "packed" or "f32" for files that pack them. Raises `ValueError` or `OSError`
    naming the file and what does not fit, `NotImplementedError` for what is not supported.
    """
    if device not in ("cpu", "cuda"):
        raise ValueError(f"device must be 'cpu' or 'cuda', got {device!r}")
    if weights not in (None, "packed", "f32"):
        raise ValueError(f"weights must be 'packed', 'f32' or None, got {weights!r}")
    path = os.fspath(path)
    return Model(_module().Model(_bytes(path, "the path of a model"), device, weights or ""), path)


def _bytes(path, what):
    """The path as the system has it: names of files are bytes, and those that are no UTF-8 are names as well."""
    name = os.fsencode(path)
    if b"\0" in name:
        raise ValueError(f"{what} must not hold the character U+0000, got {path!r}")
    return name


def _module():
    # Before torch reads it: its threads would wait for each other by spinning for ten milliseconds.
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "3000")
    try:
        import torch
    except ImportError as error:
        raise ImportError("linmu.models needs torch: pip install 'linmu[torch]'") from error
    # The module takes torch's symbols from the process.
    ctypes.CDLL(str(Path(torch.__file__).parent / "lib" / "libtorch.so"), ctypes.RTLD_GLOBAL)
    import _linmu_models

    return _linmu_models


def _whole(value, name, most):
    try:
        whole = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be a whole number, got {value!r}") from None
    if not 0 <= whole <= most:
        raise ValueError(f"{name} must be 0 to {most}, got {whole}")
    return whole


def _number(value, name):
    try:
        return float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be a number, got {value!r}") from None


def _messages(messages):
    if isinstance(messages, str):
        return [("user", [("text", _text(messages, "messages"))])]
    if not isinstance(messages, (list, tuple)) or not messages:
        raise TypeError(f"messages must be a text or a list of dicts, got {messages!r}")
    return [_message(message, f"messages[{i}]") for i, message in enumerate(messages)]


def _message(message, place):
    if not isinstance(message, dict) or not isinstance(message.get("role"), str) or "content" not in message:
        raise TypeError(f"{place} must be a dict with 'role' and 'content', got {message!r}")
    content = message["content"]
    if isinstance(content, str):
        return message["role"], [("text", _text(content, f"{place}['content']"))]
    if not isinstance(content, (list, tuple)):
        raise TypeError(f"{place}['content'] must be a text or a list of dicts, got {content!r}")
    return message["role"], [_part(part, f"{place}['content'][{i}]") for i, part in enumerate(content)]


def _text(text, place):
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(
            f"{place} must be text that UTF-8 holds, got {text[error.start]!r} at {error.start}"
        ) from None
    return text


def _part(part, place):
    if not isinstance(part, dict) or part.get("type") not in _KINDS or part["type"] not in part:
        raise TypeError(
            f"{place} must be a dict like {{'type': 'text', 'text': ...}}, of type {', '.join(_KINDS)}, got {part!r}"
        )
    kind, value = part["type"], part[part["type"]]
    if kind == "text":
        if not isinstance(value, str):
            raise TypeError(f"{place}['text'] must be a str, got {type(value).__name__}")
        return kind, _text(value, f"{place}['text']")
    if isinstance(value, (str, bytes, os.PathLike)):
        return kind, _bytes(value, f"{place}['{kind}']")
    return kind, _pixels(value, kind, f"{place}['{kind}']")


def _pixels(value, kind, place):
    import numpy

    def array(one):
        return numpy.asarray(one.convert("RGB") if hasattr(one, "convert") else one)

    pixels = numpy.stack([array(one) for one in value]) if isinstance(value, (list, tuple)) else array(value)
    axes = "[H, W, 3]" if kind == "image" else "[T, H, W, 3]"
    if pixels.dtype != numpy.uint8 or pixels.ndim != axes.count(",") + 1 or pixels.shape[-1] != 3:
        raise ValueError(
            f"{place} must be a path or uint8 pixels {axes}, got {pixels.dtype} {list(pixels.shape)}"
        )
    return numpy.ascontiguousarray(pixels if kind == "video" else pixels[None])
