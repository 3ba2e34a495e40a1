"""An independent reader of TensorBoard's event files: TFRecord framing, masked CRC-32C, Event messages."""

import struct
from pathlib import Path


def crc32c(data: bytes) -> int:
    """Bit by bit, from the definition: the reflected polynomial 0x1EDC6F41."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def masked(data: bytes) -> int:
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def records(data: bytes):
    at = 0
    while at < len(data):
        size, of_size = struct.unpack_from("<QI", data, at)
        assert of_size == masked(data[at : at + 8])
        body = data[at + 12 : at + 12 + size]
        assert len(body) == size
        assert struct.unpack_from("<I", data, at + 12 + size)[0] == masked(body)
        yield body
        at += 16 + size


def fields(message: bytes):
    """(number, value) of each field of a protobuf message; what has a length as bytes."""

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    at = 0
    while at < len(message):
        key = varint()
        wire = key & 7
        if wire == 0:
            value = varint()
        elif wire == 2:
            size = varint()
            value, at = message[at : at + size], at + size
            assert len(value) == size
        else:
            size = {1: 8, 5: 4}[wire]
            value, at = message[at : at + size], at + size
        yield key >> 3, value


def events(path: Path) -> list[dict]:
    """{"wall_time", "step", "values": {tag: value}} of each event behind the first, which names the version."""
    found = []
    for number, message in enumerate(records(path.read_bytes())):
        event = {"step": 0, "values": {}}
        for key, value in fields(message):
            if key == 1:
                event["wall_time"] = struct.unpack("<d", value)[0]
            elif key == 2:
                event["step"] = value
            elif key == 3:
                event["version"] = value.decode()
            elif key == 5:
                for _, scalar in fields(value):
                    entry = dict(fields(scalar))
                    event["values"][entry[1].decode()] = struct.unpack("<f", entry[2])[0]
            else:
                raise AssertionError(f"field {key} of an event")
        assert ("version" in event) == (number == 0)
        if number == 0:
            assert event["version"] == "brain.Event:2"
        else:
            found.append(event)
    return found
