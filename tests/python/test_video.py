"""What a model sees of a video, against PyAV with the rotation that it reports: frames, times and pixels."""

import subprocess
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.reformatter import Interpolation

from clips import CLIPS
from decoder_support import ROOT

# PyAV's default rounds down on the way: exact colours are up to two levels brighter.
EXACT = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
PROBE = ROOT / "build" / "bin" / "video_probe"


def seen(path: Path) -> tuple[list[float], np.ndarray]:
    """Times [frames] and pictures [frames, height, width, 3]."""
    out = path.with_suffix(".seen")
    done = subprocess.run([PROBE, path, out], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    head, content = out.read_bytes().split(b"\n", 1)
    width, height, frames = map(int, head.split())
    times = np.frombuffer(content, np.float64, frames)
    return times.tolist(), np.frombuffer(content, np.uint8, offset=8 * frames).reshape(
        frames, height, width, 3
    )


def shown(path: Path) -> tuple[list[float], list[np.ndarray]]:
    """The same by PyAV."""
    times, pictures, rotation = [], [], 0
    with av.open(path) as container:
        stream = container.streams.video[0]
        for frame in container.decode(stream):
            assert frame.rotation % 90 == 0
            rotation = frame.rotation or rotation  # which a frame says once, for those behind it as well
            pictures.append(np.rot90(frame.to_ndarray(format="rgb24", interpolation=EXACT), rotation // 90))
            missing = frame.pts is None  # where a packet holds the second half of a picture
            time = None if missing else float((frame.pts - (stream.start_time or 0)) * frame.time_base)
            times.append(times[-1] + 1 / 25 if missing else time)
    return times, pictures


@pytest.mark.parametrize("name", CLIPS)
def test_frames_times_and_pixels_are_those_of_pyav(name, tmp_path):
    path = CLIPS[name](tmp_path)
    times, pictures = seen(path)
    if "joined" in name:  # whose second part PyAV times anew
        expected = [shown(tmp_path / f"{index}.ts") for index in range(2)]
        end = expected[0][0][-1] + 1 / 25
        expected_times = expected[0][0] + [end + time for time in expected[1][0]]
        expected_pictures = expected[0][1] + expected[1][1]
    else:
        expected_times, expected_pictures = shown(path)
    assert len(times) == len(expected_times) > 0
    assert times == pytest.approx(expected_times, abs=1e-3)
    for index, (ours, theirs) in enumerate(zip(pictures, expected_pictures)):
        assert ours.shape == theirs.shape
        assert np.abs(ours.astype(int) - theirs).max() <= 2, index
