"""Parallel environments for the tests with numpy arrays, as most environments have them."""

import numpy as np


class Box:
    def __init__(self, low, high, shape, dtype):
        self.shape, self.dtype = shape, np.dtype(dtype)
        self.low = np.full(shape, low, dtype)
        self.high = np.full(shape, high, dtype)


class Discrete:
    def __init__(self, n):
        self.n, self.start, self.dtype = np.int64(n), np.int64(0), np.dtype(np.int64)


class MultiDiscrete:
    def __init__(self, nvec):
        self.nvec = np.array(nvec, np.int64)
        self.shape, self.dtype = self.nvec.shape, np.dtype(np.int64)


class MultiBinary:
    def __init__(self, n):
        self.n, self.shape, self.dtype = n, (n,), np.dtype(np.int8)


class Cameras:
    """Agents that see a picture each, and push its pixels; the state is a picture of all."""

    possible_agents = ["left", "right"]
    metadata = {"max_cycles": 5}

    def __init__(self, height=4, width=3):
        self.shape = (height, width, 3)

    def observation_space(self, agent):
        return Box(0, 255, self.shape, np.uint8)

    def action_space(self, agent):
        return Box(-1, 1, (2,), np.float32) if agent == "left" else Box(-2, 2, (1, 2), np.int32)

    def reset(self, seed=None, options=None):
        self.random = np.random.default_rng(seed)
        self.agents = list(self.possible_agents)
        self.steps = 0
        self.sum = np.float64(0)
        return self.observe(), {agent: {} for agent in self.agents}

    def observe(self):
        return {agent: self.random.integers(0, 256, self.shape, np.uint8) for agent in self.agents}

    def state(self):
        return np.array([[self.sum, self.steps]])

    def step(self, actions):
        left, right = actions["left"], actions["right"]
        assert left.dtype == np.float32 and left.shape == (2,), left
        assert right.dtype == np.int32 and right.shape == (1, 2), right
        self.sum += left.sum() + right.sum()
        self.steps += 1
        cut = self.steps >= 5
        observations = self.observe()
        rewards = {"left": np.float32(0.5), "right": self.sum}
        ends = {agent: np.bool_(False) for agent in self.agents}, {agent: np.bool_(cut) for agent in self.agents}
        infos = {agent: {} for agent in self.agents}
        if cut:
            self.agents = []
        return observations, rewards, *ends, infos


class Choosers(Cameras):
    """Discrete actions of numpy's kinds, with masks; each observation tells what the agent did last."""

    possible_agents = ["one", "multi", "bits"]
    spaces = {"one": Discrete(3), "multi": MultiDiscrete([2, 3]), "bits": MultiBinary(4)}

    def __init__(self):
        super().__init__()

    def observation_space(self, agent):
        return Box(-np.inf, np.inf, (4,), np.float64)

    def action_space(self, agent):
        return self.spaces[agent]

    def reset(self, seed=None, options=None):
        self.done = {agent: -1 for agent in self.possible_agents}
        observations, _ = super().reset(seed)
        return observations, self.infos()

    def infos(self):
        counts = {"one": 3, "multi": 5, "bits": 8}
        return {agent: {"action_mask": np.arange(counts[agent]) % 2 == 0} for agent in self.agents}

    def observe(self):
        return {agent: np.resize(np.array(self.done[agent], np.float64), 4) for agent in self.agents}

    def state(self):
        raise NotImplementedError

    def step(self, actions):
        assert isinstance(actions["one"], int)
        assert actions["multi"].dtype == np.int64 and actions["bits"].dtype == np.int8
        self.done = actions
        flags = {agent: False for agent in self.agents}
        return self.observe(), {agent: 0 for agent in self.agents}, flags, dict(flags), self.infos()


def cameras(**kwargs):
    return Cameras(**kwargs)


def choosers():
    return Choosers()
