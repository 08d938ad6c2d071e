"""Parallel forms of environments that have another interface: PettingZoo's AEC, and Gymnasium's."""

from .errors import WrongEnvironment, shown
from .spaces import kind_of, parts_of

# Attributes of the environment that a form passes on if they exist: its state and its time limit.
PASSED_ON = ("metadata", "max_cycles", "max_steps", "max_episode_steps", "_max_episode_steps", "episode_limit")


def parallel_form(env, factory):
    """The environment itself if it is parallel, otherwise the first form that fits."""
    if is_parallel(env):
        return env
    for recognises, form in FORMS:
        if recognises(env):
            return form(env)
    kind = type(env).__name__
    raise WrongEnvironment("%s made %s, which is no PettingZoo environment" % (factory, kind), usage=True)


def is_parallel(env):
    return named(env) and not is_aec(env)


def named(env):
    return hasattr(env, "possible_agents") or hasattr(env, "agents")


def is_aec(env):
    return named(env) and (hasattr(env, "agent_selection") or callable(getattr(env, "last", None)))


class FromAec:
    """Agents that act in turn, each once in a step: its rewards are the sum of those after every turn.

    As in PettingZoo, this is the same game only where the order of the turns within a round makes no difference to what
    the agents know: where `metadata["is_parallelizable"]` is true."""

    def __init__(self, env):
        metadata = getattr(env, "metadata", None)
        if not (hasattr(metadata, "get") and metadata.get("is_parallelizable", False)):
            raise WrongEnvironment(
                "%s lets its agents act in turn (AEC) and its metadata has no is_parallelizable: name what makes its "
                "parallel form, often parallel_env; a game of turns has none" % type(env).__name__,
                usage=True,
            )
        self.env = env
        self.agents = []
        pass_on(env, self)
        for name in ("possible_agents", "observation_space", "action_space", "observation_spaces", "action_spaces"):
            if hasattr(env, name):
                setattr(self, name, getattr(env, name))

    def state(self):
        return self.env.state()

    def reset(self, seed=None, options=None):
        self.env.reset(seed=seed, options=options)
        self.agents = list(self.env.agents)
        return self.observations(), dict(self.env.infos)

    def step(self, actions):
        rewards = {agent: 0.0 for agent in self.agents}
        for _ in self.agents:
            agent = self.env.agent_selection
            if agent not in actions:
                raise WrongEnvironment("it is the turn of %s a second time in one round" % agent)
            gone = self.env.terminations[agent] or self.env.truncations[agent]
            self.env.step(None if gone else actions[agent])
            for name, reward in self.env.rewards.items():
                rewards[name] = rewards.get(name, 0.0) + float(reward)
        terminations, truncations = dict(self.env.terminations), dict(self.env.truncations)
        observations, infos = self.observations(), dict(self.env.infos)
        # Agents that have ended take one more turn, without an action, in which they leave.
        while self.env.agents and (
            self.env.terminations[self.env.agent_selection] or self.env.truncations[self.env.agent_selection]
        ):
            self.env.step(None)
        self.agents = list(self.env.agents)
        return observations, rewards, terminations, truncations, infos

    def observations(self):
        return {agent: self.env.observe(agent) for agent in self.env.agents}

    def close(self):
        close = getattr(self.env, "close", None)
        if callable(close):
            close()


def is_gymnasium(env):
    return not named(env) and hasattr(env, "observation_space") and hasattr(env, "action_space")


class FromGymnasium:
    """One agent, or, where both spaces are Tuples of one length, as in SMAC, an agent for each of their parts.

    A reward that is one number is dealt out in equal parts, so that the agents' rewards add up to it. Masks are those of
    `get_avail_actions()` and the state that of `get_state()`, of the environment below all wrappers."""

    def __init__(self, env):
        self.env = env
        below = getattr(env, "unwrapped", env)
        spaces = [env.observation_space, env.action_space]
        parts = [parts_of(space) if kind_of(space) == "Tuple" else None for space in spaces]
        self.several = None not in parts and len(parts[0]) == len(parts[1])
        count = len(parts[0]) if self.several else 1
        self.possible_agents = ["agent_%d" % k for k in range(count)]
        self.agents = []
        own = [[space for _, space in part] for part in parts] if self.several else [[space] for space in spaces]
        self.observation_spaces = dict(zip(self.possible_agents, own[0]))
        self.action_spaces = dict(zip(self.possible_agents, own[1]))
        self.masks = getattr(below, "get_avail_actions", None)
        state = getattr(below, "get_state", None)
        if callable(state):
            self.state = state
        pass_on(below, self)
        pass_on(env, self)

    def reset(self, seed=None, options=None):
        result = self.env.reset(seed=seed)
        if not (isinstance(result, tuple) and len(result) == 2):
            raise WrongEnvironment("reset() returned %s: it must return (observation, info)" % shown(result))
        self.agents = list(self.possible_agents)
        return self.by_agent(result[0]), self.infos()

    def step(self, actions):
        chosen = [actions[agent] for agent in self.possible_agents]
        result = self.env.step(chosen if self.several else chosen[0])
        if not (isinstance(result, tuple) and len(result) == 5):
            raise WrongEnvironment(
                "step() returned %s: it must return (observation, reward, terminated, truncated, info)" % shown(result)
            )
        observation, reward, terminated, truncated, _ = result
        flags = [dict(zip(self.possible_agents, self.each(flag))) for flag in (terminated, truncated)]
        rewards = self.each(reward, 1.0 / len(self.possible_agents))
        infos = self.infos()
        self.agents = [agent for agent in self.agents if not (flags[0][agent] or flags[1][agent])]
        return self.by_agent(observation), dict(zip(self.possible_agents, rewards)), flags[0], flags[1], infos

    def each(self, value, share=None):
        """A value for each agent, from one for all or a list."""
        if hasattr(value, "__len__") and len(value) == len(self.possible_agents):
            return list(value)
        return [value if share is None else float(value) * share] * len(self.possible_agents)

    def by_agent(self, observation):
        if not self.several:
            return {self.possible_agents[0]: observation}
        if len(observation) != len(self.possible_agents):
            raise WrongEnvironment(
                "there are %d observations and %d agents" % (len(observation), len(self.possible_agents))
            )
        return dict(zip(self.possible_agents, observation))

    def infos(self):
        if not callable(self.masks):
            return {agent: {} for agent in self.possible_agents}
        return {agent: {"action_mask": mask} for agent, mask in zip(self.possible_agents, self.masks())}

    def close(self):
        self.env.close()


def pass_on(env, form):
    for name in PASSED_ON:
        if hasattr(env, name):
            setattr(form, name, getattr(env, name))


FORMS = ((is_aec, FromAec), (is_gymnasium, FromGymnasium))
