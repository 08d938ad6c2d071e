"""An environment with numbers as input and bytes as output."""

import math
import struct

from .agent import Agent
from .errors import WrongEnvironment, shown
from .protocol import RUNNING, TERMINATED, TRUNCATED
from .values import f32, finite_f32

# Attributes of environments with the number of steps after which they truncate an episode.
TIME_LIMITS = ("max_cycles", "max_steps", "max_episode_steps", "_max_episode_steps", "episode_limit")


class Environment:
    """One environment, with numbers as input and bytes as output."""

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
        """Runs a reset to detect masks and a state, and to check that the views fit their spaces."""
        observations, infos = self.begin_episode(0)
        self.masked = any(
            agent.mask_value(observations[agent.name], infos.get(agent.name)) is not None
            for agent in self.agents
            if agent.name in observations and agent.choices
        )
        self.state_size = len(self.own_state()) // 4
        self.views(observations, infos, {}, self.live)

    def describe_like(self, other):
        """Takes over the properties detected for another environment of the same factory."""
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
        """Bytes of `env.state()`; empty if the environment has none."""
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
        """@returns the status of the episode, and the bytes of the views"""
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
        # The last observations of an episode are those of the agents that took its last step.
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
        """Observations, state if the environment has one, rewards, active, masks."""
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


def told_time_limit(env):
    """Steps after which the environment truncates an episode; None if unknown."""
    for place in (env, getattr(env, "unwrapped", None)):
        metadata = getattr(place, "metadata", None)
        for name in TIME_LIMITS:
            for value in (getattr(place, name, None), metadata.get(name) if hasattr(metadata, "get") else None):
                if isinstance(value, int) and not isinstance(value, bool) and value > 0:
                    return value
    return None
