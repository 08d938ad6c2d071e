#!/usr/bin/env python3
"""Times learner updates of HARL on synthetic data, for bench/harl/rival.ts.

HARL itself is imported, unchanged, from the folder in HARL_DIR that holds the package `harl`. Packages that only its
environments and loggers need (gym, tensorboardX, ...) are replaced by empty modules.

Every line of standard input is a command in JSON; each is answered by one line of JSON.
  {"open": {"algo", "agents", "observation", "state", "action", "hidden", "envs", "steps"}}   -> {"open": description}
  {"run": true}   -> {"wall", "cpu", "trials"}: milliseconds of one update, and line-search trials per agent

An update is what `Method.improve` of this package does: values of all states, returns and advantages
(`OnPolicyHARunner.compute`), and the updates of all agents and the critic (`OnPolicyHARunner.train`).
"""
import contextlib
import importlib.abc
import importlib.machinery
import io
import json
import os
import sys
import time
import types

THREADS = int(sys.argv[1])
# Where PyTorch computes: cpu or cuda.
DEVICE = os.environ.get("HARL_DEVICE", "cpu")
TUNED = "HARL_UPDATE_TUNED"
# Read when a process starts: OpenMP's threads sleep while they wait, and malloc keeps the memory of freed tensors.
ENVIRONMENT = {
    "OMP_WAIT_POLICY": "PASSIVE",
    "OMP_NUM_THREADS": str(THREADS),
    "OPENBLAS_NUM_THREADS": str(THREADS),
    "MKL_NUM_THREADS": str(THREADS),
    "MALLOC_MMAP_THRESHOLD_": str(1 << 30),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 32),
    "MALLOC_TOP_PAD_": str(1 << 26),
}
# OpenBLAS finds the best kernels for the processor unless this names others.
REMOVED = "OPENBLAS_CORETYPE"
ABSENT = ("gym", "setproctitle", "tensorboardX", "absl", "harl.envs")


class EmptyModules(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds modules of any name below ABSENT; their attributes are empty classes."""

    def find_spec(self, fullname, path=None, target=None):
        if any(fullname == name or fullname.startswith(name + ".") for name in ABSENT):
            return importlib.machinery.ModuleSpec(fullname, self, is_package=True)
        return None

    def create_module(self, spec):
        module = types.ModuleType(spec.name)

        def attribute(name):
            if name.startswith("__"):
                raise AttributeError(name)
            return type(name, (), {})

        module.__getattr__ = attribute
        return module

    def exec_module(self, module):
        pass


class Box:
    """Space of `size` numbers."""

    def __init__(self, size):
        self.shape = (size,)


class Team:
    """HARL's runner for one team, without environments."""

    def __init__(self, torch, numpy, options):
        import yaml
        from harl.algorithms.actors import ALGO_REGISTRY
        from harl.algorithms.critics.v_critic import VCritic
        from harl.common.buffers.on_policy_actor_buffer import OnPolicyActorBuffer
        from harl.common.buffers.on_policy_critic_buffer_ep import OnPolicyCriticBufferEP
        from harl.common.valuenorm import ValueNorm
        from harl.runners.on_policy_ha_runner import OnPolicyHARunner

        self.torch = torch
        self.random = numpy.random.default_rng(1)
        torch.manual_seed(1)
        path = os.path.join(os.environ["HARL_DIR"], "harl", "configs", "algos_cfgs", options["algo"] + ".yaml")
        with open(path) as file:
            config = yaml.safe_load(file)
        config["train"].update(n_rollout_threads=options["envs"], episode_length=options["steps"])
        config["model"]["hidden_sizes"] = options["hidden"]
        network = {**config["model"], **config["algo"]}
        buffer = {**config["train"], **network}
        device = torch.device(DEVICE)
        spaces = Box(options["observation"]), Box(options["action"])

        runner = object.__new__(OnPolicyHARunner)
        runner.algo_args = config
        runner.num_agents = options["agents"]
        runner.state_type = "EP"
        runner.device = device
        runner.action_aggregation = config["algo"]["action_aggregation"]
        runner.fixed_order = config["algo"]["fixed_order"]
        agents = range(options["agents"])
        runner.actor = [ALGO_REGISTRY[options["algo"]](network, *spaces, device=device) for _ in agents]
        runner.actor_buffer = [OnPolicyActorBuffer(buffer, *spaces) for _ in agents]
        runner.critic = VCritic(network, Box(options["state"]), device=device)
        runner.critic_buffer = OnPolicyCriticBufferEP(buffer, Box(options["state"]))
        runner.value_normalizer = ValueNorm(1, device=device) if config["train"]["use_valuenorm"] else None
        self.runner = runner

    def fill(self):
        """A rollout of random observations and rewards, with actions of the current policies."""
        for actor, buffer in zip(self.runner.actor, self.runner.actor_buffer):
            buffer.obs[:] = self.random.standard_normal(buffer.obs.shape, dtype="float32")
            actions, log_probs, _ = actor.get_actions(
                rows(buffer.obs[:-1]), rows(buffer.rnn_states[:-1]), rows(buffer.masks[:-1])
            )
            buffer.actions[:] = actions.numpy().reshape(buffer.actions.shape)
            buffer.action_log_probs[:] = log_probs.numpy().reshape(buffer.action_log_probs.shape)
        buffer = self.runner.critic_buffer
        buffer.share_obs[:] = self.random.standard_normal(buffer.share_obs.shape, dtype="float32")
        buffer.rewards[:] = self.random.standard_normal(buffer.rewards.shape, dtype="float32")

    def values(self):
        """Values of the states of the rollout."""
        buffer = self.runner.critic_buffer
        values, _ = self.runner.critic.get_values(
            rows(buffer.share_obs[:-1]), rows(buffer.rnn_states_critic[:-1]), rows(buffer.masks[:-1])
        )
        buffer.value_preds[:-1] = values.numpy().reshape(buffer.rewards.shape)

    def update(self):
        with self.torch.no_grad():
            self.values()
        self.runner.compute()
        self.runner.train()


def rows(array):
    """[steps, environments, ...] as [rows, ...]"""
    return array.reshape(-1, *array.shape[2:])


def count_trials():
    """Counts the trials of HARL's line search: each evaluates one KL. Returns the list that grows."""
    from harl.algorithms.actors import hatrpo

    trials = []
    divergence = hatrpo.kl_divergence

    def counted(*args, **kwargs):
        trials.append(1)
        return divergence(*args, **kwargs)

    hatrpo.kl_divergence = counted
    return trials


def run(team, trials):
    with team.torch.no_grad():
        team.fill()
    trials.clear()
    # HARL prints when a line search finds no step.
    with contextlib.redirect_stdout(io.StringIO()):
        cpu, wall = time.process_time(), time.perf_counter()
        team.update()
        if DEVICE != "cpu":
            team.torch.cuda.synchronize()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {"wall": 1000 * wall, "cpu": 1000 * cpu, "trials": len(trials) / team.runner.num_agents}


def main():
    if TUNED not in os.environ:
        environment = {**os.environ, **ENVIRONMENT, TUNED: "1"}
        environment.pop(REMOVED, None)
        os.execve(sys.executable, [sys.executable, *sys.argv], environment)
    import numpy
    import torch

    torch.set_num_threads(THREADS)
    sys.path.insert(0, os.environ["HARL_DIR"])
    sys.meta_path.insert(0, EmptyModules())
    trials = count_trials()
    team = None
    for line in sys.stdin:
        command = json.loads(line)
        if "open" in command:
            team = Team(torch, numpy, command["open"])
            answer = {"open": "PyTorch " + torch.__version__}
        else:
            answer = run(team, trials)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
