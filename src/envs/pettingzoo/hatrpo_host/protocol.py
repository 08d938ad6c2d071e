"""Numbers of the messages between hatrpo and this process; docs/pettingzoo.md describes them."""

# Requests.
LOAD, MAKE, RESET, STEP, REPLAY, CLOSE = range(6)
# Replies.
DONE, FAILED, PULSE = range(3)
# Status of an environment after a step; a failure follows the last two.
RUNNING, TERMINATED, TRUNCATED, BROKEN, WRONG = range(5)
