"""Small clips that PyAV writes: what cameras, editors and recorders make."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.bitstream import BitStreamFilterContext

WIDTH, HEIGHT = 96, 64


def picture(index: int, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """Soft colours, so that what differs between two scalers of chroma is below a level; no two corners are alike."""
    y, x = np.mgrid[0:height, 0:width] / np.array([height, width]).reshape(2, 1, 1)
    planes = [60 + 120 * x + index, 200 - 60 * y - index, 40 + 60 * x + 40 * y]
    return np.clip(np.stack(planes, -1), 0, 255).astype(np.uint8)


def write(  # noqa: PLR0913
    path: Path,
    *,
    codec: str = "libx264",
    pixels: str = "yuv420p",
    size: tuple[int, int] = (WIDTH, HEIGHT),
    times: list[int] | None = None,
    options: dict | None = None,
    interlaced: bool = False,
    filter_: str | None = None,
    skip: int = 0,
) -> Path:
    """Frames at `times` in 25ths of a second. `skip` moves the first packets before the clip's start, as editors cut."""
    times = list(range(12)) if times is None else times
    with av.open(path, "w") as container:
        stream = container.add_stream(codec, rate=25, options={"g": "6", **(options or {})})
        stream.width, stream.height = size
        stream.pix_fmt = pixels
        stream.codec_context.time_base = Fraction(1, 25)
        if interlaced:
            stream.codec_context.flags |= 1 << 18 | 1 << 29  # AV_CODEC_FLAG_INTERLACED_DCT, _ME
        packets = []
        for index, time in enumerate(times):
            frame = av.VideoFrame.from_ndarray(picture(index, *size), format="rgb24").reformat(format=pixels)
            frame.pts, frame.time_base = time, Fraction(1, 25)
            packets += stream.encode(frame)
        packets += stream.encode(None)
        changed = BitStreamFilterContext(filter_, stream) if filter_ else None
        for packet in packets:
            packet.pts -= skip
            packet.dts -= skip
            for each in changed.filter(packet) if changed else [packet]:
                container.mux(each)
    return path


def turn_track(path: Path, matrix: tuple[int, int, int, int]) -> Path:
    """Writes the upper left part of the matrix by which players turn the first track of an MP4 file."""
    content = bytearray(path.read_bytes())
    at = content.index(b"tkhd") + 4 + 40
    for place, value in zip((0, 4, 12, 16), matrix):
        content[at + place : at + place + 4] = (value << 16).to_bytes(4, "big", signed=True)
    path.write_bytes(content)
    return path


def cut_front(path: Path, source: Path) -> Path:
    """The packets of a clip from the fourth on, in another file: the beginning of a group is missing."""
    with av.open(source) as given, av.open(path, "w") as container:
        stream = container.add_stream_from_template(given.streams.video[0])
        for index, packet in enumerate(given.demux(video=0)):
            if packet.dts is not None and index >= 3:
                packet.stream = stream
                container.mux(packet)
    return path


def joined(path: Path, folder: Path) -> Path:
    parts = [write(folder / f"{index}.ts", times=list(range(index + 5))) for index in range(2)]
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


CLIPS = {
    "turned a quarter by its stream": lambda f: turn_track(write(f / "a.mp4"), (0, 1, -1, 0)),
    "turned a half by its stream": lambda f: turn_track(write(f / "a.mp4"), (-1, 0, 0, -1)),
    "turned three quarters by its frames": lambda f: write(
        f / "a.ts", filter_="h264_metadata=display_orientation=insert:rotate=90"
    ),
    "odd sizes": lambda f: write(f / "a.mkv", codec="ffv1", size=(63, 47)),
    "10 bit": lambda f: write(f / "a.mkv", codec="ffv1", pixels="yuv420p10le"),
    "grey of 8 bits": lambda f: write(f / "a.mkv", codec="ffv1", pixels="gray"),
    "grey of 16 bits": lambda f: write(f / "a.mkv", codec="ffv1", pixels="gray16le"),
    "variable rate": lambda f: write(f / "a.mp4", times=[0, 1, 2, 7, 8, 20, 21, 22, 40, 41]),
    "an edit list that begins in a group": lambda f: write(f / "a.mp4", options={"bf": "0"}, skip=3),
    "B frames": lambda f: write(f / "a.mp4", options={"bf": "3", "b_strategy": "0"}),
    "interlaced": lambda f: write(f / "a.mpg", codec="mpeg2video", interlaced=True, options={"qmax": "2"}),
    "alpha": lambda f: write(f / "a.mov", codec="qtrle", pixels="argb"),
    "one frame": lambda f: write(f / "a.mp4", times=[0]),
    "a cut in the middle of a group": lambda f: cut_front(
        f / "a.ts", write(f / "whole.ts", options={"bf": "0"})
    ),
    "transport streams, joined": lambda f: joined(f / "a.ts", f),
}
