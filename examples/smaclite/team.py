"""SMAClite (github.com/uoe-agents/smaclite) as a parallel environment, from a checkout of one's own.

    hatrpo check-env pettingzoo:./team.py:Team --set env.kwargs='{"map": "2s3z", "checkout": "./smaclite"}'

It needs numpy, scikit-learn and Rtree. Where Gymnasium is not installed, the few names of it that SMAClite uses are
made here.
"""

import os
import sys
import types

import numpy as np

# Steps after which an episode is cut, as in SMAC.
TIME_LIMITS = {
    "10m_vs_11m": 150,
    "27m_vs_30m": 180,
    "2c_vs_64zg": 400,
    "2s3z": 120,
    "2s_vs_1sc": 300,
    "3s5z": 150,
    "3s5z_vs_3s6z": 170,
    "3s_vs_5z": 250,
    "bane_vs_bane": 200,
    "corridor": 400,
    "mmm": 150,
    "mmm2": 180,
}


class Box:
    def __init__(self, low, high, shape, dtype=np.float32):
        self.shape, self.dtype = shape, np.dtype(dtype)
        self.low = np.full(shape, low, dtype)
        self.high = np.full(shape, high, dtype)


class Discrete:
    def __init__(self, n):
        self.n = n


class Tuple:
    def __init__(self, spaces):
        self.spaces = list(spaces)


def stand_in_for_gymnasium():
    """The names that SMAClite uses, with the same random numbers as Gymnasium's own."""

    def np_random(seed):
        sequence = np.random.SeedSequence(seed)
        return np.random.Generator(np.random.PCG64(sequence)), sequence.entropy

    gymnasium = types.ModuleType("gymnasium")
    gymnasium.Env = object
    gymnasium.register = lambda *args, **kwargs: None
    gymnasium.spaces = types.ModuleType("gymnasium.spaces")
    gymnasium.spaces.Box, gymnasium.spaces.Discrete, gymnasium.spaces.Tuple = Box, Discrete, Tuple
    gymnasium.utils = types.ModuleType("gymnasium.utils")
    gymnasium.utils.seeding = types.ModuleType("gymnasium.utils.seeding")
    gymnasium.utils.seeding.np_random = np_random
    for module in (gymnasium, gymnasium.spaces, gymnasium.utils, gymnasium.utils.seeding):
        sys.modules[module.__name__] = module


def load(checkout):
    """The class of SMAClite's environment, and its maps by name."""
    if checkout is not None:
        sys.path.insert(0, os.path.abspath(checkout))
    try:
        import gymnasium  # noqa: F401
    except ModuleNotFoundError:
        stand_in_for_gymnasium()
    from smaclite.env.maps.map import MapPreset
    from smaclite.env.smaclite import SMACliteEnv

    return SMACliteEnv, {preset.name[len("MAP_") :].lower(): preset.map_info for preset in MapPreset}


class Team:
    """The allied units as agents. A unit that dies leaves; all share one reward, dealt out in equal parts to those that
    lived when the step began, so that its sum over agents (`env.rewards=sum`, the default) is SMAClite's own."""

    metadata = {"name": "smaclite"}

    def __init__(self, map="2s3z", checkout=None, time_limit=None, cpp=False):
        make, maps = load(checkout)
        if map not in maps:
            raise ValueError("map %s: must be one of %s" % (map, ", ".join(sorted(maps))))
        self.env = make(map_info=maps[map], seed=0, use_cpp_rvo2=cpp)
        self.episode_limit = time_limit or TIME_LIMITS[map]
        self.possible_agents = ["agent_%d" % k for k in range(self.env.n_agents)]
        self.agents = []
        self.steps = 0

    def observation_space(self, agent):
        return Box(-np.inf, np.inf, (self.env.obs_size,))

    def action_space(self, agent):
        return Discrete(self.env.n_actions)

    def state(self):
        return self.env.get_state()

    def reset(self, seed=None, options=None):
        # SMAClite's own reset leaves the last actions of the episode before in the state.
        self.env.last_actions = np.zeros(self.env.n_agents * self.env.n_actions)
        observations, _ = self.env.reset(seed=seed)
        self.steps = 0
        self.agents = list(self.possible_agents)
        return self.by_agent(observations), self.infos(False)

    def step(self, actions):
        before = self.agents
        # The dead choose nothing.
        chosen = [int(actions[name]) if name in actions else 0 for name in self.possible_agents]
        observations, reward, done, _, info = self.env.step(chosen)
        self.steps += 1
        cut = not done and self.steps >= self.episode_limit
        living = {name for k, name in enumerate(self.possible_agents) if k in self.env.agents}
        self.agents = [] if done or cut else [name for name in before if name in living]
        return (
            {name: observation for name, observation in self.by_agent(observations).items() if name in before},
            {name: reward / len(before) for name in before},
            {name: done or name not in living for name in before},
            {name: cut for name in before},
            self.infos(info["battle_won"]),
        )

    def by_agent(self, observations):
        return dict(zip(self.possible_agents, observations))

    def infos(self, won):
        masks = self.env.get_avail_actions()
        return {
            name: {"action_mask": mask, "battle_won": won} for name, mask in zip(self.possible_agents, masks)
        }

    def close(self):
        self.env.close()
