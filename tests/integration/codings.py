"""Bodies compressed as clients do, and as nobody should."""

import gzip
import struct
import subprocess
import zlib

CRC32C = []


def crc32c(data):
    """The checksum of framed snappy: Castagnoli's, least significant bit first."""
    if not CRC32C:
        for byte in range(256):
            for _ in range(8):
                byte = byte >> 1 ^ (0x82f63b78 if byte & 1 else 0)
            CRC32C.append(byte)
    crc = 0xffffffff
    for byte in data:
        crc = CRC32C[(crc ^ byte) & 0xff] ^ crc >> 8
    return crc ^ 0xffffffff


def masked(crc):
    return ((crc >> 15 | crc << 17) + 0xa282ead8) & 0xffffffff


SNAPPY_START = b"\xff\x06\x00\x00sNaPpY"


def snappy_chunk(kind, payload, plain, crc=None):
    checksum = masked(crc32c(plain)) if crc is None else crc
    content = struct.pack("<I", checksum) + payload
    return bytes([kind]) + len(content).to_bytes(3, "little") + content


def snappy_literal(plain):
    """A block of snappy without a copy in it: its length, then what is said."""
    length, block = len(plain), bytearray()
    while length > 0x7f:
        block.append(length & 0x7f | 0x80)
        length >>= 7
    block.append(length)
    for start in range(0, len(plain), 60):
        part = plain[start:start + 60]
        block += bytes([len(part) - 1 << 2]) + part
    return bytes(block)


def snappy(plain, kind="stored", size=65536):
    """The framed format, with chunks that are stored, or compressed if not by much."""
    parts = [SNAPPY_START]
    for start in range(0, len(plain), size):
        part = plain[start:start + size]
        if kind == "stored":
            parts.append(snappy_chunk(1, part, part))
        else:
            parts.append(snappy_chunk(0, snappy_literal(part), part))
    return b"".join(parts)


def snappy_bomb(chunks):
    """Chunks of 64 KiB, each a letter and copies of it: 20 times smaller than what they say."""
    plain = b"#" * 65536
    block = b"\x80\x80\x04" + b"\x00#" + b"\xfe\x01\x00" * 1023 + b"\xfa\x01\x00"
    one = snappy_chunk(0, block, plain)
    return SNAPPY_START + one * chunks


def zstd(plain, *options):
    return subprocess.run(["zstd", "-q", "-c", *options], input=plain, capture_output=True,
                          check=True).stdout


def unzstd(data):
    return subprocess.run(["zstd", "-q", "-d", "-c"], input=data, capture_output=True,
                          check=True).stdout


def gzip_bomb(megabytes):
    """Nothing but comment signs, without ever holding them all."""
    coder = zlib.compressobj(9, zlib.DEFLATED, 31)
    parts = [coder.compress(b"#" * (1 << 20)) for _ in range(megabytes)]
    return b"".join([*parts, coder.flush()])


def zstd_bomb(megabytes):
    return zstd(b"#" * (megabytes << 20), "-1")


def gzip_members(plain, count=3):
    size = len(plain) // count + 1
    return b"".join(gzip.compress(plain[start:start + size])
                    for start in range(0, len(plain), size))
