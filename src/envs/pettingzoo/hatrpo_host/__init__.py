"""Hosts PettingZoo environments for hatrpo: one process, many environments, messages over stdin and stdout.

Plain Python 3.9 or newer and its standard library; numpy is used where the environment has imported it.
docs/pettingzoo.md describes the messages and the order in which spaces are flattened.
"""
