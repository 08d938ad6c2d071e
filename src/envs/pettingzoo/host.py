"""Hosts PettingZoo environments for hatrpo: one process, many environments, messages over stdin and stdout.

Plain Python 3.9 or newer and its standard library; numpy is used where the environment has imported it.
docs/pettingzoo.md describes the messages and the order in which spaces are flattened.
"""

import array
import difflib
import importlib
import importlib.util
import json
import math
import os
import select
import signal
import struct
import sys
import threading
import time
import traceback

OLDEST_PYTHON = (3, 9)

# Requests.
LOAD, MAKE, RESET, STEP, REPLAY, CLOSE = range(6)
# Replies.
DONE, FAILED, PULSE = range(3)
# How an environment stands after a step; the last two are followed by a failure.
RUNNING, TERMINATED, TRUNCATED, BROKEN, WRONG = range(5)

# Seconds for environments to close in, after the other end has gone away.
CLOSING_GRACE = 5.0
# Where environments say after how many steps they truncate an episode.
TIME_LIMITS = ("max_cycles", "max_steps", "max_episode_steps", "_max_episode_steps", "episode_limit")


class WrongEnvironment(Exception):
    """What is not as PettingZoo's parallel API has it, in one line; doing it again would not help."""

    def __init__(self, message, usage=False):
        super().__init__(message)
        self.usage = usage


# Numbers ---------------------------------------------------------------------------------------------------------


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
    """Bounds for JSON: one number where all are alike, null for `infinite`."""
    found = [None if bound == infinite else bound for bound in bounds]
    return found[0] if all(bound == found[0] for bound in found) else found


# Spaces ----------------------------------------------------------------------------------------------------------


def kind_of(space):
    """Which of Gymnasium's spaces it is: by the name of its class, so that anybody's classes will do."""
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
    """Per choice of a discrete space: how many there are, and the number of the first."""
    kind = kind_of(space)
    if kind == "Discrete":
        return [(int(space.n), int(getattr(space, "start", 0)))]
    if kind == "MultiBinary":
        return [(2, 0)] * math.prod(int(n) for n in numbers_of(getattr(space, "shape", None) or space.n))
    counts = [int(n) for n in numbers_of(space.nvec)]
    starts = [int(start) for start in numbers_of(getattr(space, "start", 0))]
    return list(zip(counts, starts if len(starts) == len(counts) else starts * len(counts)))


class Observed:
    """How the values of a space become numbers: `size`, `low`, `high`, and `write`, which gives the bytes."""

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
    """`write`, after which the number of numbers is checked."""

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


class Acted:
    """How numbers become actions of a space: `size`, `read(numbers, first)`, and bounds or numbers of choices."""

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
    """What gives numbers the shape and type of a space: a numpy array where it is numpy's, else nested lists."""
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
    """A flat list as lists in lists; a single value where there is no dimension and one value."""
    if len(shape) < 2:
        return values
    step = len(values) // shape[0]
    return [nested(values[i * step : (i + 1) * step], shape[1:]) for i in range(shape[0])]


# Environments ----------------------------------------------------------------------------------------------------


class Agent:
    def __init__(self, env, name):
        self.name = name
        space = space_of(env, "observation", name)
        self.mask_observed = kind_of_named(space, name, "observation") == "Dict" and "action_mask" in dict(
            parts_of(space)
        )
        self.observation = named(
            name, "observation", lambda: observed(space, "action_mask" if self.mask_observed else None)
        )
        self.action = named(name, "action", lambda: acted(space_of(env, "action", name)))
        for what, size in (("observation", self.observation.size), ("action", self.action.size)):
            if size == 0:
                raise WrongEnvironment("the %s space of %s is empty" % (what, name))
        if self.mask_observed and not self.action.choices:
            raise WrongEnvironment("%s has an action_mask for continuous actions" % name)
        self.choices = sum(self.action.choices)
        self.unseen = bytes(4 * self.observation.size)
        self.unmasked = b"\1" * self.choices

    def mask_value(self, observation, info):
        """The agent's action_mask, from its observation or its info; None where it has none."""
        if self.mask_observed:
            return observation["action_mask"]
        return info.get("action_mask") if hasattr(info, "get") else None

    def mask(self, observation, info):
        value = self.mask_value(observation, info)
        if value is None:
            return self.unmasked
        mask = bytes(1 if allowed else 0 for allowed in numbers_of(value))
        if len(mask) != self.choices:
            raise WrongEnvironment(
                "the action_mask of %s has %d entries where it has %d choices" % (self.name, len(mask), self.choices)
            )
        if 1 not in mask:
            raise WrongEnvironment("the action_mask of %s allows nothing" % self.name)
        return mask

    def description(self):
        low, high = self.observation.low, self.observation.high
        return {
            "id": str(self.name),
            "observation": {
                "size": self.observation.size,
                "low": shortened(low, -math.inf),
                "high": shortened(high, math.inf),
            },
            "action": self.action.description(),
        }


def space_of(env, what, agent):
    """`env.observation_space(agent)`, or `env.observation_spaces[agent]` of older environments; likewise actions."""
    method = getattr(env, what + "_space", None)
    if callable(method):
        return method(agent)
    spaces = getattr(env, what + "_spaces", None)
    if spaces is None:
        raise WrongEnvironment("it has no %s_space(agent)" % what, usage=True)
    return spaces[agent]


def named(agent, what, work):
    """Does `work`, and says of which agent it was when that is wrong."""
    try:
        return work()
    except WrongEnvironment as error:
        raise WrongEnvironment("the %s of %s: %s" % (what, agent, error)) from error


def kind_of_named(space, agent, what):
    return named(agent, what, lambda: kind_of(space))


class Environment:
    """One environment, whose episodes are numbers in and bytes out."""

    def __init__(self, env, options):
        self.env = env
        self.rewards = options["rewards"]
        self.time_limit = options["timeLimit"] or math.inf
        self.agents = [Agent(env, name) for name in env.possible_agents]
        self.actions = sum(agent.action.size for agent in self.agents)
        self.reward_bytes = struct.Struct("<%df" % len(self.agents))
        self.masked = False
        self.state_size = 0
        self.begin()

    def begin(self):
        self.steps = 0
        self.gone = set()
        self.live = set()

    def probe(self):
        """What only an episode shows: whether there are masks and a state of its own, and that all fits its spaces."""
        observations, infos = self.begin_episode(0)
        self.masked = any(
            agent.mask_value(observations[agent.name], infos.get(agent.name)) is not None
            for agent in self.agents
            if agent.name in observations and agent.choices
        )
        self.state_size = len(self.own_state()) // 4
        self.views(observations, infos, {}, self.live)

    def describe_like(self, other):
        """Takes over what another environment of the same factory showed."""
        self.masked = other.masked
        self.state_size = other.state_size

    def description(self):
        return {
            "agents": [agent.description() for agent in self.agents],
            "masked": self.masked,
            "state": self.state_size,
            "timeLimit": told_time_limit(self.env),
        }

    def own_state(self):
        """The bytes of `env.state()`; none where the environment has no such thing."""
        state = getattr(self.env, "state", None)
        if not callable(state):
            return b""
        try:
            value = state()
        except (NotImplementedError, AttributeError):
            return b""
        return b"" if value is None else f32(value)

    def begin_episode(self, seed):
        self.begin()
        result = self.env.reset(seed=seed)
        if not (isinstance(result, tuple) and len(result) == 2):
            raise WrongEnvironment("reset() returned %s: it must return (observations, infos)" % shown(result))
        observations, infos = result
        if not hasattr(observations, "keys"):
            raise WrongEnvironment("reset() returned observations as %s: it must be a dict" % shown(observations))
        self.live = set(self.env.agents)
        if not self.live:
            raise WrongEnvironment("no agent plays after reset(): env.agents is empty")
        return observations, infos if hasattr(infos, "get") else {}

    def reset(self, seed):
        observations, infos = self.begin_episode(seed)
        return self.views(observations, infos, {}, self.live)

    def step(self, numbers):
        """@returns how the episode stands, and the bytes of what the agents see"""
        before = self.live
        actions = {}
        first = 0
        for agent in self.agents:
            if agent.name in before:
                actions[agent.name] = agent.action.read(numbers, first)
            first += agent.action.size
        result = self.env.step(actions)
        if not (isinstance(result, tuple) and len(result) == 5):
            raise WrongEnvironment(
                "step() returned %s: it must return (observations, rewards, terminations, truncations, infos)"
                % shown(result)
            )
        observations, rewards, terminations, truncations, infos = result
        self.steps += 1
        present = set(self.env.agents)
        cut = False
        for name in before:
            terminated = bool(terminations.get(name, False))
            truncated = bool(truncations.get(name, False))
            if terminated or truncated or name not in present:
                self.gone.add(name)
                cut = cut or (truncated and not terminated)
        self.live = present - self.gone
        status = RUNNING
        if not self.live:
            status = TRUNCATED if cut else TERMINATED
        elif self.steps >= self.time_limit:
            status = TRUNCATED
        # What is seen at the end of an episode is what the agents saw who were still there.
        seen = self.live if self.live else before
        shared = self.shared_rewards(rewards, before)
        return status, self.views(observations, infos if hasattr(infos, "get") else {}, shared, seen)

    def shared_rewards(self, rewards, before):
        for name in before:
            if name not in rewards:
                raise WrongEnvironment("step() returned no reward of %s" % name)
        own = {agent.name: float(rewards[agent.name]) if agent.name in before else 0.0 for agent in self.agents}
        if self.rewards == "each":
            return own
        total = sum(own[agent.name] for agent in self.agents)
        if self.rewards == "mean":
            total /= len(self.agents)
        return {agent.name: total for agent in self.agents}

    def views(self, observations, infos, rewards, seen):
        """Observations, state where it is the environment's own, rewards, active, masks."""
        parts = []
        masks = []
        for agent in self.agents:
            name = agent.name
            if name not in seen:
                parts.append(agent.unseen)
                masks.append(agent.unmasked)
                continue
            if name not in observations:
                raise WrongEnvironment("there is no observation of %s, which plays" % name)
            observation = observations[name]
            try:
                parts.append(agent.observation.write(observation))
            except WrongEnvironment as error:
                raise WrongEnvironment("the observation of %s: %s" % (name, error)) from error
            info = infos.get(name)
            if not self.masked:
                if agent.choices and agent.mask_value(observation, info) is not None:
                    raise WrongEnvironment("%s has an action_mask now, and had none after the first reset()" % name)
            elif name in self.live:
                masks.append(agent.mask(observation, info))
            else:
                masks.append(agent.unmasked)
        if self.state_size > 0:
            state = self.own_state()
            if len(state) != 4 * self.state_size:
                raise WrongEnvironment(
                    "state() has %d numbers, and had %d at first" % (len(state) // 4, self.state_size)
                )
            parts.append(state)
        parts.append(self.reward_bytes.pack(*[finite_f32(rewards.get(agent.name, 0.0)) for agent in self.agents]))
        parts.append(bytes(1 if agent.name in self.live else 0 for agent in self.agents))
        if self.masked:
            parts.extend(masks)
        return b"".join(parts)

    def close(self):
        close = getattr(self.env, "close", None)
        if callable(close):
            close()


def finite_f32(number):
    """The number as f32 can hold it: `struct` refuses what is beyond, which is infinite there."""
    return number if abs(number) <= 3.4028235e38 or number != number else math.copysign(math.inf, number)


def shown(value):
    return "a %s of %d" % (type(value).__name__, len(value)) if isinstance(value, (tuple, list)) else type(value).__name__


def told_time_limit(env):
    """After how many steps the environment says that it truncates an episode; None where it does not say."""
    for place in (env, getattr(env, "unwrapped", None)):
        metadata = getattr(place, "metadata", None)
        for name in TIME_LIMITS:
            for value in (getattr(place, name, None), metadata.get(name) if hasattr(metadata, "get") else None):
                if isinstance(value, int) and not isinstance(value, bool) and value > 0:
                    return value
    return None


def check_api(env, factory):
    if not hasattr(env, "possible_agents") and not hasattr(env, "agents"):
        kind = type(env).__name__
        raise WrongEnvironment("%s made %s, which is no PettingZoo environment" % (factory, kind), usage=True)
    if hasattr(env, "agent_selection") or callable(getattr(env, "last", None)):
        raise WrongEnvironment(
            "%s makes an environment whose agents act in turn (AEC): name what makes its parallel form, "
            "often parallel_env" % factory,
            usage=True,
        )
    if not getattr(env, "possible_agents", None):
        raise WrongEnvironment("possible_agents is missing or empty: it must name all agents", usage=True)
    for method in ("reset", "step"):
        if not callable(getattr(env, method, None)):
            raise WrongEnvironment("it has no %s()" % method, usage=True)


# Loading ---------------------------------------------------------------------------------------------------------


def load(options):
    """Imports what makes environments. @returns a function without arguments that makes one"""
    if sys.version_info < OLDEST_PYTHON:
        version = "%d.%d" % sys.version_info[:2]
        raise WrongEnvironment(
            "env.python is %s, Python %s: it must be 3.9 or newer" % (sys.executable, version), usage=True
        )
    module = import_file(options["file"]) if options["file"] else import_named(options["module"])
    made_by = options["factory"]
    factory = module
    for part in made_by.split("."):
        if not hasattr(factory, part):
            raise WrongEnvironment("module %s has no %s: %s" % (module.__name__, part, instead(part, module)), usage=True)
        factory = getattr(factory, part)
    if not callable(factory):
        raise WrongEnvironment("%s is %s: it must be a function or a class" % (made_by, shown(factory)), usage=True)

    def make():
        try:
            env = factory(**options["kwargs"])
        except Exception as error:
            raise WrongEnvironment(
                "%s(%s) failed: %s" % (made_by, keywords(options["kwargs"]), one_line(error))
            ) from error
        check_api(env, made_by)
        return env

    return make


def instead(name, module):
    """What was probably meant, or what there is."""
    found = sorted(name for name, value in vars(module).items() if callable(value) and not name.startswith("_"))
    near = difflib.get_close_matches(name, found, 1)
    if near:
        return "did you mean %s?" % near[0]
    return "it has %s" % ", ".join(found[:12]) if found else "it has nothing to call"


def keywords(kwargs):
    return ", ".join("%s=%r" % item for item in kwargs.items())


def import_file(path):
    if not os.path.isfile(path):
        raise WrongEnvironment("there is no file %s" % path, usage=True)
    sys.path.insert(0, os.path.dirname(path))
    name = os.path.splitext(os.path.basename(path))[0]

    def execute():
        spec = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        return module

    return imported(path, execute)


def import_named(name):
    return imported(name, lambda: importlib.import_module(name))


def imported(name, work):
    try:
        return work()
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(error.name + ".")):
            raise WrongEnvironment(
                "there is no module %s for %s: install it there, or name another Python with env.python"
                % (error.name, sys.executable),
                usage=True,
            ) from error
        raise WrongEnvironment(
            "%s needs the module %s, which %s does not have: install it there, or name another Python with env.python"
            % (name, error.name, sys.executable)
        ) from error
    except Exception as error:
        raise WrongEnvironment("%s cannot be imported: %s" % (name, one_line(error))) from error


# Errors ----------------------------------------------------------------------------------------------------------


def one_line(error):
    """`ValueError: what is wrong (file.py:12)`, the innermost place that is not in an installed package."""
    text = " ".join(str(error).split())
    line = type(error).__name__ + (": " + text if text else "")
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
    if isinstance(error, SyntaxError) and error.filename:
        return "%s: %s (%s:%s)" % (type(error).__name__, error.msg, os.path.basename(error.filename), error.lineno)
    if not frames:
        return line
    installed = (os.sep + "site-packages" + os.sep, os.sep + "dist-packages" + os.sep, os.path.dirname(os.__file__))
    own = [frame for frame in frames if not any(part in frame.filename for part in installed)]
    last = (own or frames)[-1]
    return "%s (%s:%d)" % (line, os.path.basename(last.filename), last.lineno)


def failure(error):
    wrong = isinstance(error, WrongEnvironment)
    trace = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    message = " ".join(str(error).split()) if wrong else one_line(error)
    return json.dumps({"message": message, "usage": wrong and error.usage, "trace": trace}).encode()


# Messages --------------------------------------------------------------------------------------------------------


class Host:
    def __init__(self, incoming, outgoing):
        self.incoming = incoming
        self.outgoing = outgoing
        self.make = None
        self.options = None
        self.environments = {}
        self.probed = None
        self.shown_alive = 0.0

    def serve(self):
        """Answers requests until the other end goes away."""
        handlers = {
            LOAD: self.load,
            MAKE: self.make_environment,
            RESET: self.reset,
            STEP: self.step,
            REPLAY: self.replay,
            CLOSE: self.close,
        }
        while True:
            head = self.incoming.read(4)
            if len(head) < 4:
                return
            request = self.incoming.read(struct.unpack("<I", head)[0])
            self.shown_alive = time.monotonic()
            try:
                kind, reply = DONE, handlers[request[0]](request)
            except Exception as error:
                kind, reply = FAILED, failure(error)
            self.send(kind, reply)

    def send(self, kind, reply=b""):
        message = struct.pack("<IB", 1 + len(reply), kind) + reply
        rest = memoryview(message)
        while rest:
            rest = rest[os.write(self.outgoing, rest) :]

    def pulse(self):
        """Shows between two environments or two steps of a long request that it goes on."""
        now = time.monotonic()
        if now - self.shown_alive >= self.options["pulse"]:
            self.shown_alive = now
            self.send(PULSE)

    def load(self, request):
        self.options = json.loads(request[1:])
        self.make = load(self.options)
        return b""

    def make_environment(self, request):
        (slot,) = struct.unpack_from("<I", request, 1)
        environment = Environment(self.make(), self.options)
        if self.probed is None:
            environment.probe()
            self.probed = environment
        else:
            environment.describe_like(self.probed)
        self.environments[slot] = environment
        return json.dumps(environment.description()).encode()

    def reset(self, request):
        slot, seed = struct.unpack_from("<II", request, 1)
        return struct.pack("<B", RUNNING) + self.environments[slot].reset(seed)

    def step(self, request):
        (count,) = struct.unpack_from("<I", request, 1)
        at = 5
        results = []
        for _ in range(count):
            (slot,) = struct.unpack_from("<I", request, at)
            environment = self.environments[slot]
            numbers = struct.unpack_from("<%dd" % environment.actions, request, at + 4)
            at += 4 + 8 * environment.actions
            results.append(attempted(lambda: environment.step(numbers)))
            self.pulse()
        return b"".join(results)

    def replay(self, request):
        slot, seed, steps = struct.unpack_from("<III", request, 1)
        environment = self.environments[slot]
        size = environment.actions

        def work():
            result = RUNNING, environment.reset(seed)
            for step in range(steps):
                result = environment.step(struct.unpack_from("<%dd" % size, request, 13 + 8 * size * step))
                self.pulse()
            return result

        return attempted(work)

    def close(self, request):
        (slot,) = struct.unpack_from("<I", request, 1)
        self.environments.pop(slot).close()
        return b""

    def close_all(self):
        for environment in self.environments.values():
            try:
                environment.close()
            except Exception as error:
                sys.stderr.write("closing an environment: %s\n" % one_line(error))


def attempted(work):
    """How the step went: its status and views, or its status and what was wrong."""
    try:
        status, views = work()
        return struct.pack("<B", status) + views
    except Exception as error:
        told = failure(error)
        status = WRONG if isinstance(error, WrongEnvironment) else BROKEN
        return struct.pack("<BI", status, len(told)) + told


def die_with_the_other_end(descriptor):
    """Ends this process and those it started when the other end is gone and environments do not come back."""
    poll = select.poll()
    poll.register(descriptor, 0)
    poll.poll()
    time.sleep(CLOSING_GRACE)
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(1)


def main():
    # Whatever the environment prints goes to stderr, and what it reads is empty: the pipes are ours alone.
    incoming = os.dup(0)
    outgoing = os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    # Modules are found from the working directory, as with `python -m`, and not from beside this file.
    sys.path[0] = os.getcwd()
    if hasattr(select, "poll"):
        threading.Thread(target=die_with_the_other_end, args=(incoming,), daemon=True).start()
    host = Host(os.fdopen(incoming, "rb"), outgoing)
    host.serve()
    host.close_all()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
