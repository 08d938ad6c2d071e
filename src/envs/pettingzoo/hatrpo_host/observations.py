"""Observations of a space as numbers."""

import math
import struct

from .errors import WrongEnvironment
from .spaces import bounds_of, choices_of, kind_of, parts_of, shape_of
from .values import f32, numbers_of


class Observed:
    """Conversion of values of a space to numbers: `size`, `low`, `high`, and `write`, which returns the bytes."""

    def __init__(self, size, low, high, write):
        self.size = size
        self.low = low
        self.high = high
        self.write = write


def observed(space, without=None):
    """Box: its elements in C order. Discrete and MultiDiscrete: one-hot. Dict and Tuple: part after part."""
    kind = kind_of(space)
    if kind in ("Dict", "Tuple"):
        keyed = [(key, observed(part)) for key, part in parts_of(space) if key != without]
        parts = [part for _, part in keyed]
        return Observed(
            sum(part.size for part in parts),
            [bound for part in parts for bound in part.low],
            [bound for part in parts for bound in part.high],
            lambda value: b"".join([part.write(value[key]) for key, part in keyed]),
        )
    if kind == "Box":
        size = math.prod(shape_of(space))
        return Observed(size, *bounds_of(space, size), sized(f32, size))
    if kind == "MultiBinary":
        size = len(choices_of(space))
        return Observed(size, [0.0] * size, [1.0] * size, sized(f32, size))
    choices = choices_of(space)
    size = sum(count for count, _ in choices)
    return Observed(size, [0.0] * size, [1.0] * size, one_hot(choices, size))


def sized(write, size):
    """`write` with a check of the number of values."""

    def checked(value):
        packed = write(value)
        if len(packed) != 4 * size:
            raise WrongEnvironment("it has %d numbers where its space has %d" % (len(packed) // 4, size))
        return packed

    return checked


def one_hot(choices, size):
    one = struct.pack("<f", 1.0)

    def write(value):
        values = numbers_of(value)
        if len(values) != len(choices):
            raise WrongEnvironment("it has %d choices where its space has %d" % (len(values), len(choices)))
        packed = bytearray(4 * size)
        first = 0
        for chosen, (count, start) in zip(values, choices):
            index = int(chosen) - start
            if not 0 <= index < count:
                raise WrongEnvironment(
                    "it holds the choice %d where its space has %d to %d" % (chosen, start, start + count - 1)
                )
            packed[4 * (first + index) : 4 * (first + index) + 4] = one
            first += count
        return bytes(packed)

    return write
