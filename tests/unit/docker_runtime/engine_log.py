"""What an engine keeps and tells of some entries, encoded in the plainest way: (stream, time, text, part).

`part` None is a whole line, else it says whether this is the line's last part.
"""

import time


def varint(number):
    found = bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    return bytes([*found, number])


def field(number, data):
    return varint(number << 3 | 2) + varint(len(data)) + data


def entry(stream, now, text, part=None):
    """In the file of the `local` driver."""
    message = field(1, stream.encode()) + b"\x10" + varint(now) + (field(3, text) if text else b"")
    if part is not None:
        message += b"\x20\x01" + field(5, (b"\x08\x01" if part else b"") + field(2, b"5ab0" * 16) + b"\x18\x07")
    size = len(message).to_bytes(4, "big")
    return size + message + size


def data_of(text, part=None):
    return text if part is False else text + b"\n"


def stamp(now):
    seconds, nanoseconds = divmod(now, 10**9)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{nanoseconds:09d}Z".encode()


def frame(stream, now, data):
    """In the stream of the API."""
    payload = stamp(now) + b" " + data
    return bytes([1 if stream == "stdout" else 2, 0, 0, 0]) + len(payload).to_bytes(4, "big") + payload


def chunk(data):
    """As HTTP/1.1 sends it."""
    return b"%x\r\n%b\r\n" % (len(data), data)
