"""Parallel environments for the tests, in plain Python: PettingZoo's API, and spaces of their own with its names."""

import os
import random
import sys
import time


class Box:
    def __init__(self, low, high, shape=None, dtype=float):
        self.low, self.high, self.dtype = low, high, dtype
        if shape is not None:
            self.shape = shape


class Discrete:
    def __init__(self, n, start=0):
        self.n, self.start = n, start


class MultiDiscrete:
    def __init__(self, nvec):
        self.nvec = nvec


class MultiBinary:
    def __init__(self, n):
        self.n = n


class Dict:
    def __init__(self, **spaces):
        self.spaces = spaces


class Tuple:
    def __init__(self, *spaces):
        self.spaces = spaces


class Graph:
    pass


class Parallel:
    """What the games below have in common: agents with the same spaces, and a generator of their own."""

    metadata = {}

    def __init__(self, agents=("left", "right"), max_cycles=20):
        self.possible_agents = list(agents)
        self.agents = []
        self.max_cycles = max_cycles

    def observation_space(self, agent):
        return Box(-5.0, 5.0, (2,))

    def action_space(self, agent):
        return Box(-1.0, 1.0, (1,))

    def reset(self, seed=None, options=None):
        self.random = random.Random(seed)
        self.agents = list(self.possible_agents)
        self.steps = 0
        self.start()
        return self.observe(), {agent: {} for agent in self.agents}

    def step(self, actions):
        assert set(actions) == set(self.agents), (actions, self.agents)
        self.steps += 1
        rewards = self.move(actions)
        truncated = self.steps >= self.max_cycles
        observations = self.observe()
        flags = {agent: False for agent in self.agents}, {agent: truncated for agent in self.agents}
        infos = {agent: {} for agent in self.agents}
        if truncated:
            self.agents = []
        return observations, rewards, *flags, infos


class Team(Parallel):
    """A point that two agents push: x' = 0.9 x + 0.3 (u + v, u - v), some noise, rewards by agent."""

    def start(self):
        self.x = [self.random.uniform(-2, 2), self.random.uniform(-2, 2)]

    def observe(self):
        return {agent: list(self.x) for agent in self.agents}

    def move(self, actions):
        u, v = (actions[agent][0] for agent in ("left", "right"))
        cost = self.x[0] ** 2 + self.x[1] ** 2
        noise = self.random.gauss(0, 0.01)
        self.x = [0.9 * self.x[0] + 0.3 * (u + v) + noise, 0.9 * self.x[1] + 0.3 * (u - v)]
        return {"left": -cost - 0.1 * u * u, "right": -0.1 * v * v}


class Breaking(Team):
    """The team, in which something breaks at the 7th step of an episode: when FILE is not there yet (it is then made),
    or in every episode whose seed `every` divides."""

    def __init__(self, what, once=None, every=None):
        super().__init__()
        self.what, self.once, self.every = what, once, every

    def reset(self, seed=None, options=None):
        self.seed = seed
        if self.what.endswith(" in reset") and self.due():
            self.break_down(self.what.split(" ")[0])
        return super().reset(seed)

    def step(self, actions):
        if self.steps == 6 and " " not in self.what and self.due():
            self.break_down(self.what)
        return super().step(actions)

    def due(self):
        if self.once is None:
            return self.seed % self.every == 0
        try:
            os.close(os.open(self.once, os.O_CREAT | os.O_EXCL))
            return True
        except FileExistsError:
            return False

    def break_down(self, what):
        if what == "die":
            os.kill(os.getpid(), 9)
        if what == "exit":
            os._exit(3)
        if what == "hang":
            while True:
                pass
        if what == "sleep":
            time.sleep(1000)
        raise ValueError("the wheel\ncame off")


class Loud(Team):
    """The team, which prints to stdout all the time."""

    def step(self, actions):
        print("stepping")
        os.write(1, b"\0\1\2\3 raw bytes")
        assert sys.stdin.read() == ""
        return super().step(actions)


def breaking(**kwargs):
    return Breaking(**kwargs)


def team(**kwargs):
    return Team(**kwargs)


def loud():
    return Loud()
