"""Files of users, read whole."""

import os
import stat

_KINDS = {
    stat.S_IFIFO: "a FIFO",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


def read_bytes(path) -> bytes:
    """What a file holds. Raises OSError as open() does, and for what is no file and could be waited on, or read, without
    an end."""
    # Without O_NONBLOCK a FIFO that nobody writes would not even open.
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
        kind = stat.S_IFMT(os.fstat(file.fileno()).st_mode)
        if kind != stat.S_IFREG:
            raise OSError(
                f"cannot read {display(path)}: it is {_KINDS.get(kind, 'no file')}; give the name of a file"
            )
        return file.read()


def display(path) -> str:
    """A path as text, for messages; names of files need not be UTF-8."""
    return os.fsencode(path).decode(errors="replace")
