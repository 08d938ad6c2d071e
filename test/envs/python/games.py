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
    """Base of the games below: agents with the same spaces, and a generator of their own.

    Leaves a file in the folder `pids`, named after the process, and one for a process that it starts where `forks`: that
    one inherits all pipes and outlives the environment."""

    metadata = {}

    def __init__(self, agents=("left", "right"), max_cycles=20, pids=None, forks=False):
        if pids is not None:
            open(os.path.join(pids, str(os.getpid())), "w").close()
            if forks and os.fork() == 0:
                open(os.path.join(pids, str(os.getpid())), "w").close()
                time.sleep(1000)
                os._exit(0)
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


class Drift(Parallel):
    """A point that drifts at random: the right agent leaves after 4 steps, and the game ends where x is above 1.

    Computes with + - * and uniform numbers alone, so that every machine gets the same bits."""

    def start(self):
        self.x = self.random.uniform(-1, 1)

    def observe(self):
        return {agent: [self.x, 0.125 * self.steps] for agent in self.agents}

    def step(self, actions):
        self.steps += 1
        push = sum(max(-1.0, min(1.0, action[0])) for action in actions.values())
        self.x = 0.9 * self.x + 0.25 * push + 0.5 * (self.random.random() - 0.5)
        playing = list(self.agents)
        observations = self.observe()
        fallen, truncated = self.x > 1, self.steps >= self.max_cycles
        terminations = {agent: fallen or (agent == "right" and self.steps >= 4) for agent in playing}
        truncations = {agent: truncated for agent in playing}
        self.agents = [] if truncated else [agent for agent in playing if not terminations[agent]]
        return observations, {agent: -self.x * self.x for agent in playing}, terminations, truncations, {a: {} for a in playing}


class Breaking(Team):
    """The team, in which something breaks at the 7th step of an episode, or in the reset of seed 21: when the file `once`
    is not there yet (it is then made; `times` such files are), or in every episode whose seed `every` divides."""

    def __init__(self, what, once=None, every=None, pids=None, times=1):
        super().__init__(pids=pids)
        self.what, self.every = what, every
        self.once = None if once is None else [once, *("%s-%d" % (once, k) for k in range(1, times))]

    def reset(self, seed=None, options=None):
        self.seed = seed
        if self.what.endswith(" in reset") and seed == 21 and self.due():
            self.break_down(self.what.split(" ")[0])
        return super().reset(seed)

    def step(self, actions):
        if self.steps == 6 and " " not in self.what and self.due():
            self.break_down(self.what)
        return super().step(actions)

    def due(self):
        if self.once is None:
            return self.seed % self.every == 0
        for path in self.once:
            try:
                os.close(os.open(path, os.O_CREAT | os.O_EXCL))
                return True
            except FileExistsError:
                pass
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


class Cast(Parallel):
    """Three agents that leave by a script: per step, who goes, and whether terminated or truncated.

    Observes (steps, number of the agent); rewards 1, 10 and 100. Masks forbid the choice `steps % 3`."""

    def __init__(self, leaves, mask=None, own_state=False, told=None, keep_agents=False):
        super().__init__(("a", "b", "c"))
        self.leaves, self.mask, self.keep_agents = leaves, mask, keep_agents
        if own_state:
            self.state = lambda: [self.steps, len(self.agents), -1]
        if told is None:
            del self.max_cycles
        else:
            self.max_cycles = told

    def observation_space(self, agent):
        space = Box(0, 100, (2,))
        return Dict(observation=space, action_mask=Box(0, 1, (3,))) if self.mask == "observation" else space

    def action_space(self, agent):
        return Discrete(3)

    def reset(self, seed=None, options=None):
        self.agents = list(self.possible_agents)
        self.steps = 0
        return self.seen(self.agents)

    def seen(self, agents):
        mask = [int(choice != self.steps % 3) for choice in range(3)]
        observations = {agent: [self.steps, self.possible_agents.index(agent)] for agent in agents}
        infos = {agent: {"action_mask": mask} if self.mask == "info" else {} for agent in agents}
        if self.mask == "observation":
            observations = {agent: {"observation": seen, "action_mask": mask} for agent, seen in observations.items()}
        return observations, infos

    def step(self, actions):
        playing = sorted(actions)
        going = self.leaves[self.steps] if self.steps < len(self.leaves) else {}
        self.steps += 1
        observations, infos = self.seen(playing)
        rewards = {agent: 10.0 ** self.possible_agents.index(agent) for agent in playing}
        terminations = {agent: going.get(agent) == "terminated" for agent in playing}
        truncations = {agent: going.get(agent) == "truncated" for agent in playing}
        if not self.keep_agents:
            self.agents = [agent for agent in self.agents if agent not in going]
        return observations, rewards, terminations, truncations, infos


OBSERVED = {
    "boxes": Box([-1, float("-inf")], [1, 2.5]),
    "gear": Discrete(3, start=-1),
    "table": Box(0, 255, (2, 3), int),
    "nested": Dict(chosen=MultiDiscrete([2, 3]), pair=Tuple(MultiBinary(2), Discrete(2))),
}
VALUES = {
    "boxes": [0.25, -7],
    "gear": 1,
    "table": [[1, 2, 3], [4, 5, 6]],
    "nested": {"chosen": [1, 2], "pair": ([0, 1], 0)},
}
ACTED = {
    "boxes": Box(-1.0, 1.0, (2, 2)),
    "whole": Box(0, 9, (3,), int),
    "one": Discrete(3, start=5),
    "multi": MultiDiscrete([2, 4]),
    "bits": MultiBinary(3),
    "choices": Dict(move=Discrete(3, start=-1), tools=Tuple(Discrete(2), MultiDiscrete([4, 5]))),
    "limbs": Tuple(Box(-1.0, 1.0, (1,)), Dict(hand=Box(0.0, 0.5, (2,)))),
}


class Spaces(Parallel):
    """Every kind of space; agents are named after their action's. A step fails, and tells what came to it."""

    def __init__(self):
        super().__init__(tuple(ACTED))

    def observation_space(self, agent):
        return Dict(**OBSERVED)

    def action_space(self, agent):
        return ACTED[agent]

    def start(self):
        pass

    def observe(self):
        return {agent: VALUES for agent in self.agents}

    def step(self, actions):
        raise ValueError(repr(actions))


class Wrong(Parallel):
    """Everything that a user can do wrong, by its name."""

    def __init__(self, what):
        super().__init__(("left",))
        self.what = what
        if what == "no agents":
            self.possible_agents = []
        if what == "no step":
            self.step = None

    def observation_space(self, agent):
        return {"graph": Graph(), "empty": Box(0, 1, (0,)), "mixed": Box(0, 1, (2,))}.get(self.what, Box(0, 1, (2,)))

    def action_space(self, agent):
        if self.what == "mixed":
            return Tuple(Box(0, 1, (1,)), Discrete(2))
        return Discrete(2) if "mask" in self.what else Box(0, 1, (1,))

    def reset(self, seed=None, options=None):
        self.agents = ["left"]
        self.steps = 0
        observation = [0, 0, 0] if self.what == "length" else "far" if self.what == "text" else [0, 0]
        if self.what == "old reset":
            return {"left": observation}
        if self.what == "unseen":
            return {}, {}
        masks = {"empty mask": [0, 0], "long mask": [1, 1, 1]}
        return {"left": observation}, {"left": {"action_mask": masks[self.what]} if self.what in masks else {}}

    def step(self, actions):
        self.steps += 1
        flags = {"left": False}, {"left": False}
        if self.what == "old step":
            return {"left": [0, 0]}, {"left": 0}, {"left": False}, {}
        info = {"action_mask": [1, 0]} if self.what == "late mask" else {}
        rewards = {} if self.what == "no reward" else {"left": 0}
        return {"left": [0, 0]}, rewards, *flags, {"left": info}


class Forgetful(Team):
    """The team, with noise that reset does not fix."""

    noise = random.Random(1)

    def move(self, actions):
        self.x[0] += self.noise.gauss(0, 1)
        return super().move(actions)


class Turns:
    """A parallel game as an AEC one: what agents choose is kept until all have, and the game moves with the last choice."""

    def __init__(self, game, parallelizable=True):
        self.game = game
        self.metadata = {"is_parallelizable": parallelizable}
        self.possible_agents = game.possible_agents
        self.max_cycles = game.max_cycles
        self.observation_space, self.action_space = game.observation_space, game.action_space

    def reset(self, seed=None, options=None):
        self.seen, self.infos = self.game.reset(seed)
        self.agents = list(self.game.agents)
        self.terminations = {agent: False for agent in self.agents}
        self.truncations = dict(self.terminations)
        self.begin_round()

    def begin_round(self):
        self.rewards = {agent: 0.0 for agent in self.agents}
        self.chosen = {}
        self.agent_selection = self.agents[0] if self.agents else None

    def observe(self, agent):
        return self.seen[agent]

    def last(self):
        agent = self.agent_selection
        return self.observe(agent), self.rewards[agent], self.terminations[agent], self.truncations[agent], {}

    def step(self, action):
        agent = self.agent_selection
        if self.terminations[agent] or self.truncations[agent]:
            assert action is None, "%s has ended and does not act" % agent
            self.agents.remove(agent)
            gone = [other for other in self.agents if self.terminations[other] or self.truncations[other]]
            if gone:
                self.agent_selection = gone[0]
            else:
                self.begin_round()
            return
        self.chosen[agent] = action
        self.rewards = {other: 0.0 for other in self.agents}
        waiting = [other for other in self.agents if other not in self.chosen]
        if waiting:
            self.agent_selection = waiting[0]
            return
        self.seen, self.rewards, self.terminations, self.truncations, self.infos = self.game.step(self.chosen)
        self.chosen = {}
        gone = [other for other in self.agents if self.terminations[other] or self.truncations[other]]
        self.agent_selection = (gone or self.agents)[0]


class Squad:
    """A Gymnasium environment whose spaces are Tuples, below a wrapper that hides all but Gymnasium's own names."""

    class Wrapper:
        def __init__(self, env):
            self.unwrapped, self.observation_space, self.action_space = env, env.observation_space, env.action_space
            self.reset, self.step, self.close = env.reset, env.step, env.close

    observation_space = Tuple(Box(0, 100, (1,)), Box(0, 100, (2,)))
    action_space = Tuple(Discrete(2), Discrete(3))
    episode_limit = 5

    def reset(self, seed=None, options=None):
        self.steps = 0
        return self.seen(), {}

    def seen(self):
        return [[self.steps], [self.steps, 7]]

    def step(self, actions):
        self.steps += 1
        return self.seen(), 10.0 * actions[0] + actions[1], self.steps == 4, False, {}

    def get_avail_actions(self):
        return [[1, 1], [self.steps % 2, 1, 1]]

    def get_state(self):
        return [self.steps, self.steps * self.steps, 1]

    def close(self):
        pass


class Alone(Squad):
    """One agent, as most of Gymnasium."""

    observation_space = Box(0, 100, (2,))
    action_space = Box(-1.0, 1.0, (1,))
    get_avail_actions = get_state = None

    def seen(self):
        return [self.steps, 7]

    def step(self, action):
        self.steps += 1
        return self.seen(), 2.0 * action[0], False, self.steps == 4, {}


def turns(parallelizable=True):
    return Turns(Drift(), parallelizable)


def squad():
    return Squad.Wrapper(Squad())


def alone():
    return Squad.Wrapper(Alone())


def breaking(**kwargs):
    return Breaking(**kwargs)


def team(**kwargs):
    return Team(**kwargs)


def drift(**kwargs):
    return Drift(**kwargs)


def loud():
    return Loud()


def cast(**kwargs):
    return Cast(**kwargs)


def spaces():
    return Spaces()


def wrong(**kwargs):
    return Wrong(**kwargs)


def forgetful():
    return Forgetful()
