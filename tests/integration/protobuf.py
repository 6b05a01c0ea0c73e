"""Prometheus' protobuf messages, by Debian's python3-protobuf from proto/metrics.proto.

Messages are written in protobuf's text form:

    family('name: "m" type: GAUGE metric { gauge { value: 1 } }')
"""

import atexit
import functools
import importlib
import shutil
import struct
import subprocess
import sys
import tempfile

from google.protobuf import text_format

from harness import REPOSITORY

CONTENT_TYPE = ("application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; "
                "encoding=delimited")
HEADERS = {"Content-Type": CONTENT_TYPE}


@functools.cache
def messages():
    """The module that protoc makes of proto/metrics.proto."""
    directory = tempfile.mkdtemp(prefix="weir-proto-")
    atexit.register(shutil.rmtree, directory)
    subprocess.run(["protoc", f"--proto_path={REPOSITORY / 'proto'}", f"--python_out={directory}",
                    "metrics.proto"], check=True)
    sys.path.insert(0, directory)
    return importlib.import_module("metrics_pb2")


def family(text):
    return text_format.Parse(text, messages().MetricFamily())


def varint(number):
    out = bytearray()
    while number > 0x7f:
        out.append(number & 0x7f | 0x80)
        number >>= 7
    return bytes(out) + bytes([number])


def read_varint(data, at):
    number = shift = 0
    while True:
        number |= (data[at] & 0x7f) << shift
        at += 1
        if data[at - 1] < 0x80:
            return number, at
        shift += 7


def framed(*texts):
    """Each behind its length."""
    return b"".join(varint(len(text)) + text for text in texts)


def body(*families):
    """A push. Families are messages, or their text."""
    parsed = (family(one) if isinstance(one, str) else one for one in families)
    return framed(*(one.SerializeToString() for one in parsed))


def decode(page):
    """The families of a page, in its order. Whatever is not a whole family raises."""
    families, at = [], 0
    while at < len(page):
        length, at = read_varint(page, at)
        assert at + length <= len(page), "page is cut"
        one = messages().MetricFamily()
        one.ParseFromString(page[at:at + length])
        families.append(one)
        at += length
    return families


def raw(number, kind, value):
    """One field as bytes, for messages that no library would write."""
    key = varint(number << 3 | kind)
    if kind == 0:
        return key + varint(value)
    if kind == 1:
        return key + struct.pack("<d", value)
    if kind == 2:
        return key + varint(len(value)) + value
    return key + value


def in_group(one, **grouping):
    """The family as it is exposed once it was pushed to that group."""
    exposed = messages().MetricFamily()
    exposed.CopyFrom(one)
    for metric in exposed.metric:
        labels = {pair.name: pair.value for pair in metric.label}
        labels = {"instance": "", **labels, **grouping}
        del metric.label[:]
        for name in sorted(labels, key=str.encode):
            metric.label.add(name=name, value=labels[name])
    return exposed


def labels_of(metric):
    return {pair.name: pair.value for pair in metric.label}


def sorted_metrics(one):
    """The family with its metrics in the order of their labels, to be compared."""
    arranged = messages().MetricFamily()
    arranged.CopyFrom(one)
    arranged.ClearField("metric")
    for metric in sorted(one.metric, key=lambda metric: sorted(labels_of(metric).items())):
        arranged.metric.add().CopyFrom(metric)
    return arranged

