"""Readers of PNG and GIF files that share nothing with ours, for what tests make of pictures."""

import struct
import zlib
from pathlib import Path

import numpy as np


def read_png(path: Path) -> np.ndarray:
    """[height, width, 3], of 8 bits RGB without filters, as linmu writes it."""
    data, at, packed = path.read_bytes(), 8, b""
    while at < len(data):
        (length,), kind = struct.unpack(">I", data[at : at + 4]), data[at + 4 : at + 8]
        body = data[at + 8 : at + 8 + length]
        if kind == b"IHDR":
            width, height = struct.unpack(">II", body[:8])
        elif kind == b"IDAT":
            packed += body
        at += 12 + length
    rows = np.frombuffer(zlib.decompress(packed), np.uint8).reshape(height, 1 + 3 * width)
    assert not rows[:, 0].any(), "a row is filtered"
    return rows[:, 1:].reshape(height, width, 3)


def _unpack(codes: bytes, bits: int, pixels: int) -> list[int]:
    """GIF's Lempel-Ziv-Welch, from the specification."""
    clear, end = 1 << bits, (1 << bits) + 1
    table: list[list[int]] = []
    out: list[int] = []
    value = held = at = 0
    width, before = bits + 1, None
    while True:
        while held < width:
            value |= codes[at] << held
            held, at = held + 8, at + 1
        code, value, held = value & ((1 << width) - 1), value >> width, held - width
        if code == clear:
            table = [[i] for i in range(clear)] + [[], []]
            width, before = bits + 1, None
            continue
        if code == end:
            assert len(out) == pixels
            return out
        word = table[code] if code < len(table) else before + before[:1]
        out += word
        if before is not None and len(table) < 4096:
            table.append(before + word[:1])
            if len(table) == 1 << width and width < 12:
                width += 1
        before = word


def read_gif(path: Path) -> np.ndarray:
    """[frames, height, width, 3], of full frames with a global table of 256 colours."""
    data = path.read_bytes()
    width, height, flags = struct.unpack("<HHB", data[6:11])
    assert flags & 0x87 == 0x87, "a global table of 256 colours is expected"
    palette = np.frombuffer(data[13 : 13 + 768], np.uint8).reshape(256, 3)
    frames, at = [], 13 + 768

    def blocks(at):
        joined = b""
        while data[at]:
            joined += data[at + 1 : at + 1 + data[at]]
            at += 1 + data[at]
        return joined, at + 1

    while data[at : at + 1] != b";":
        if data[at] == 0x21:
            _, at = blocks(at + 2)
            continue
        assert data[at] == 0x2C
        bits = data[at + 10]
        codes, at = blocks(at + 11)
        frames.append(palette[_unpack(codes, bits, width * height)].reshape(height, width, 3))
    return np.stack(frames)
