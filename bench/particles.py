"""A parallel environment in plain Python, about as much work as a small particle world; run, it steps itself."""

import json
import math
import random
import sys
import time

AGENTS = ["agent_0", "agent_1", "agent_2"]


class Box:
    def __init__(self, low, high, shape):
        self.low, self.high, self.shape = low, high, shape


class Particles:
    """Three agents that are to cover three places: 14 numbers each, a push in two directions."""

    metadata = {"max_cycles": 25}
    possible_agents = AGENTS

    def observation_space(self, agent):
        return Box(-math.inf, math.inf, (14,))

    def action_space(self, agent):
        return Box(-1.0, 1.0, (2,))

    def reset(self, seed=None, options=None):
        place = random.Random(seed).uniform
        self.agents = list(AGENTS)
        self.steps = 0
        self.places = [(place(-1, 1), place(-1, 1)) for _ in AGENTS]
        self.at = [[place(-1, 1), place(-1, 1), 0.0, 0.0] for _ in AGENTS]
        return self.observe(), {agent: {} for agent in AGENTS}

    def observe(self):
        seen = {}
        for agent, (x, y, vx, vy) in zip(AGENTS, self.at):
            others = [c for ox, oy, _, _ in self.at if (ox, oy) != (x, y) for c in (ox - x, oy - y)]
            seen[agent] = [x, y, vx, vy, *[c for px, py in self.places for c in (px - x, py - y)], *others[:4]]
        return seen

    def step(self, actions):
        for agent, state in zip(AGENTS, self.at):
            for axis in (0, 1):
                state[2 + axis] = 0.75 * state[2 + axis] + 0.1 * float(actions[agent][axis])
                state[axis] += 0.1 * state[2 + axis]
        reward = -sum(min(math.hypot(px - x, py - y) for x, y, _, _ in self.at) for px, py in self.places)
        self.steps += 1
        over = self.steps == 25
        observations = self.observe()
        self.agents = [] if over else self.agents
        flags = {agent: False for agent in AGENTS}, {agent: over for agent in AGENTS}
        return observations, {agent: reward / 3 for agent in AGENTS}, *flags, {agent: {} for agent in AGENTS}


def parallel_env():
    return Particles()


def loop(steps):
    """Steps a second of a loop that does nothing else."""
    env = Particles()
    env.reset(seed=0)
    actions = {agent: [0.5, -0.5] for agent in AGENTS}
    begun = time.perf_counter()
    for step in range(steps):
        env.step(actions)
        if not env.agents:
            env.reset(seed=step)
    return steps / (time.perf_counter() - begun)


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(loop(int(line))), flush=True)
