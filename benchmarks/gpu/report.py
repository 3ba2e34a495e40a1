"""What was measured, as JSON, as a table and as a roofline plot."""

import json
import math
from pathlib import Path

COLUMNS = ("row", "goal", "floor", "ours", "ours / best peer", "peers")


def microseconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}" if value >= 100 else f"{value:.1f}"


def line(result: dict) -> tuple[str, ...]:
    peers = sorted(result["peers"].items(), key=lambda peer: peer[1])
    ratio = "-"
    if peers and result["ours"]:
        ratio = f"{result['ours'] / peers[0][1]:.2f}"
    return (
        result["row"],
        microseconds(result["goal"]),
        microseconds(result["floor"]),
        microseconds(result["ours"]) if result["ours"] else f"FAILED: {result['fault']}",
        ratio,
        ", ".join(f"{name} {microseconds(time)}" for name, time in peers) or "-",
    )


def table(results: list[dict]) -> str:
    """Markdown; microseconds."""
    rows = [COLUMNS, tuple("---" for _ in COLUMNS), *(line(result) for result in results)]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows) + "\n"


def notes(results: list[dict]) -> str:
    """Peers that a row had to do without, each reason once."""
    reasons = {}
    for result in results:
        for peer, why in result["absent"].items():
            if not why.startswith("does not do"):
                reasons.setdefault((peer, why), []).append(result["row"])
    return "".join(f"{peer}: {why} ({len(rows)} rows)\n" for (peer, why), rows in reasons.items())


def roofline(results: list[dict], ceilings: dict[str, float]) -> str:
    """An SVG, both axes logarithmic: operations of the definition a byte, and a second. Dots are ours, rings the best
    peer."""
    width, height, edge = 760, 460, 60
    measured = [result for result in results if result["ours"]]
    places = [result["operations"] / result["bytes"] for result in measured] or [1.0]
    low, high = min(places) / 3, max(*places, ceilings["operations"] / ceilings["bytes"]) * 3
    top = ceilings["operations"] * 2
    bottom = (
        min([r["operations"] / max(r["ours"], *r["peers"].values(), 0) * 1e6 for r in measured] or [top]) / 3
    )

    def x(intensity: float) -> float:
        return edge + (width - 2 * edge) * math.log(intensity / low) / math.log(high / low)

    def y(rate: float) -> float:
        return height - edge - (height - 2 * edge) * math.log(rate / bottom) / math.log(top / bottom)

    ridge = ceilings["operations"] / ceilings["bytes"]
    corner = max(low, bottom / ceilings["bytes"])
    roof = [
        (corner, corner * ceilings["bytes"]),
        (ridge, ceilings["operations"]),
        (high, ceilings["operations"]),
    ]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" '
        'font-size="11">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        '<polyline fill="none" stroke="black" points="'
        + " ".join(f"{x(i):.1f},{y(rate):.1f}" for i, rate in roof)
        + '"/>',
        f'<text x="{width / 2:.0f}" y="{height - 15}" text-anchor="middle">operations a byte; memory '
        f"{ceilings['bytes'] / 1e12:.2f} TB/s, products {ceilings['operations'] / 1e12:.0f} TFLOP/s</text>",
    ]
    for number, result in enumerate(measured, 1):
        intensity = result["operations"] / result["bytes"]
        at = y(result["operations"] / result["ours"] * 1e6)
        title = f"<title>{number}: {result['row']}, {microseconds(result['ours'])} us</title>"
        parts.append(f'<circle cx="{x(intensity):.1f}" cy="{at:.1f}" r="4" fill="steelblue">{title}</circle>')
        parts.append(f'<text x="{x(intensity) + 6:.1f}" y="{at + 4:.1f}">{number}</text>')
        if result["peers"]:
            peer, time = min(result["peers"].items(), key=lambda each: each[1])
            at = y(result["operations"] / time * 1e6)
            parts.append(
                f'<circle cx="{x(intensity):.1f}" cy="{at:.1f}" r="4" fill="none" stroke="firebrick">'
                f"<title>{number}: {peer}, {microseconds(time)} us</title></circle>"
            )
    return "\n".join([*parts, "</svg>", ""])


def write(folder: Path, results: list[dict], machine: dict) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"machine": machine, "rows": results}, indent=1) + "\n"
    (folder / "gpu.json").write_text(text)
    (folder / "gpu.md").write_text(table(results) + "\n" + notes(results))
    (folder / "roofline.svg").write_text(roofline(results, machine))
