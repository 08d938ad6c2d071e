"""An agent of an environment: its spaces and its action mask."""

import math

from .actions import acted
from .errors import WrongEnvironment
from .observations import observed
from .spaces import kind_of, parts_of
from .values import numbers_of, shortened


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
        """The agent's action_mask, from its observation or its info; None without a mask."""
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
    """Does `work`, and adds the agent to its errors."""
    try:
        return work()
    except WrongEnvironment as error:
        raise WrongEnvironment("the %s of %s: %s" % (what, agent, error)) from error


def kind_of_named(space, agent, what):
    return named(agent, what, lambda: kind_of(space))
