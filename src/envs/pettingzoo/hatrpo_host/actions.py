"""Numbers as actions of a space."""

import math

from .errors import WrongEnvironment
from .spaces import bounds_of, choices_of, kind_of, parts_of, shape_of
from .values import numpy_module, shortened


class Acted:
    """Conversion of numbers to actions of a space: `size`, `read(numbers, first)`, and bounds or numbers of choices."""

    def __init__(self, size, read, low=(), high=(), choices=()):
        self.size = size
        self.read = read
        self.low = low
        self.high = high
        self.choices = choices

    def description(self):
        if not self.choices:
            low, high = shortened(self.low, -math.inf), shortened(self.high, math.inf)
            return {"kind": "box", "size": self.size, "low": low, "high": high}
        if len(self.choices) == 1:
            return {"kind": "discrete", "n": self.choices[0]}
        return {"kind": "multiDiscrete", "sizes": list(self.choices)}


def acted(space):
    kind = kind_of(space)
    if kind in ("Dict", "Tuple"):
        return acted_together(space, kind)
    if kind == "Box":
        return acted_box(space)
    choices = choices_of(space)
    starts = [start for _, start in choices]
    arrange = arrangement(space, getattr(space, "nvec", None), int)

    def read(numbers, first):
        chosen = [int(number) + start for number, start in zip(numbers[first : first + len(starts)], starts)]
        return chosen[0] if kind == "Discrete" else arrange(chosen)

    return Acted(len(choices), read, choices=[count for count, _ in choices])


def acted_together(space, kind):
    parts = [(key, acted(part)) for key, part in parts_of(space)]
    if any(part.choices for _, part in parts) and not all(part.choices for _, part in parts):
        raise WrongEnvironment("%s mixes continuous and discrete parts: all must be of one sort" % kind)

    def read(numbers, first):
        values = {}
        for key, part in parts:
            values[key] = part.read(numbers, first)
            first += part.size
        return values if kind == "Dict" else tuple(values.values())

    joined = {
        name: [entry for _, part in parts for entry in getattr(part, name)] for name in ("low", "high", "choices")
    }
    return Acted(sum(part.size for _, part in parts), read, **joined)


def acted_box(space):
    size = math.prod(shape_of(space))
    low, high = bounds_of(space, size)
    dtype = getattr(space, "dtype", float)
    whole = getattr(dtype, "kind", None) in ("i", "u") or "int" in getattr(dtype, "__name__", str(dtype))
    arrange = arrangement(space, space.low, int if whole else float)

    def read(numbers, first):
        values = numbers[first : first + size]
        return arrange([round(value) for value in values] if whole else values)

    return Acted(size, read, low=low, high=high)


def arrangement(space, sample, plain):
    """Function that gives numbers the shape and type of a space: a numpy array for numpy types, else nested lists."""
    numpy = numpy_module()
    dtype = getattr(space, "dtype", None)
    if numpy is not None and (isinstance(dtype, numpy.dtype) or isinstance(sample, numpy.ndarray)):
        dtype = dtype if dtype is not None else sample.dtype
        shape = getattr(space, "shape", None) or getattr(sample, "shape", ())
        return lambda values: numpy.array(values, dtype=dtype).reshape(shape)
    shape = tuple(getattr(space, "shape", None) or getattr(sample, "shape", None) or ())
    if plain is float:
        return lambda values: nested(list(values), shape)
    return lambda values: nested([plain(value) for value in values], shape)


def nested(values, shape):
    """A flat list as nested lists; a single value for one value without dimensions."""
    if len(shape) < 2:
        return values
    step = len(values) // shape[0]
    return [nested(values[i * step : (i + 1) * step], shape[1:]) for i in range(shape[0])]
