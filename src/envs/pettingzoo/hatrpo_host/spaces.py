"""Kinds, shapes, bounds and choices of spaces with Gymnasium's attributes, of any class."""

import math

from .errors import WrongEnvironment
from .values import numbers_of


def kind_of(space):
    """Kind of space, by the name of its class, so that classes of other packages also work."""
    for cls in type(space).__mro__:
        if cls.__name__ in ("Box", "Discrete", "MultiDiscrete", "MultiBinary", "Dict", "Tuple"):
            return cls.__name__
    raise WrongEnvironment(
        "%s is not supported: it must be Box, Discrete, MultiDiscrete, MultiBinary, or a Dict or Tuple of them"
        % type(space).__name__
    )


def parts_of(space):
    """The keys and spaces of a Dict or Tuple, in its own order."""
    spaces = space.spaces
    return list(spaces.items()) if hasattr(spaces, "items") else list(enumerate(spaces))


def shape_of(space):
    shape = getattr(space, "shape", None)
    if shape is None:
        shape = getattr(space.low, "shape", (len(numbers_of(space.low)),))
    return tuple(int(length) for length in shape)


def bounds_of(space, size):
    """Lists of low and high, one number per element."""
    found = []
    for name in ("low", "high"):
        bounds = [float(bound) for bound in numbers_of(getattr(space, name))]
        if len(bounds) == 1:
            bounds *= size
        if len(bounds) != size:
            raise WrongEnvironment("Box has %d numbers and %d bounds %s" % (size, len(bounds), name))
        found.append(bounds)
    return found


def choices_of(space):
    """For each choice of a discrete space: the number of options, and the number of the first."""
    kind = kind_of(space)
    if kind == "Discrete":
        return [(int(space.n), int(getattr(space, "start", 0)))]
    if kind == "MultiBinary":
        return [(2, 0)] * math.prod(int(n) for n in numbers_of(getattr(space, "shape", None) or space.n))
    counts = [int(n) for n in numbers_of(space.nvec)]
    starts = [int(start) for start in numbers_of(getattr(space, "start", 0))]
    return list(zip(counts, starts if len(starts) == len(counts) else starts * len(counts)))
