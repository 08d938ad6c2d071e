"""Numbers of an environment's values, and their bytes."""

import array
import math
import sys

from .errors import WrongEnvironment


def numpy_module():
    return sys.modules.get("numpy")


def numbers_of(value):
    """The numbers of nested sequences, in order."""
    if isinstance(value, (int, float)):
        return [value]
    if isinstance(value, (str, bytes)):
        raise WrongEnvironment("it holds the text %r where numbers belong" % (value,))
    if hasattr(value, "tolist"):
        value = value.tolist()
    if hasattr(value, "values"):
        value = value.values()
    if hasattr(value, "__iter__"):
        return [number for part in value for number in numbers_of(part)]
    return [float(value)]


def f32(value):
    """The bytes of all numbers of an array or of nested sequences, little-endian f32, in C order."""
    numpy = numpy_module()
    if numpy is not None and isinstance(value, (numpy.ndarray, numpy.generic)):
        return numpy.asarray(value, dtype="<f4").tobytes()
    try:
        # The common case of a list of numbers, which takes a tenth of the time.
        packed = array.array("f", value if type(value) in (list, tuple) else numbers_of(value))
    except TypeError:
        packed = array.array("f", numbers_of(value))
    if sys.byteorder == "big":
        packed.byteswap()
    return packed.tobytes()


def shortened(bounds, infinite):
    """Bounds for JSON: one number if all are equal, null for `infinite`."""
    found = [None if bound == infinite else bound for bound in bounds]
    return found[0] if all(bound == found[0] for bound in found) else found


def finite_f32(number):
    """The number as f32, infinite beyond its range, which `struct` would refuse."""
    return number if abs(number) <= 3.4028235e38 or number != number else math.copysign(math.inf, number)
