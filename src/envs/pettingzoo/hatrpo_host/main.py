"""The process: its pipes, its end, and the loop of requests."""

import os
import select
import signal
import sys
import threading
import time

from .host import Host

# Seconds for environments to close after the other end has closed.
CLOSING_GRACE = 5.0


def die_with_the_other_end(descriptor):
    """Ends this process and its children if environments still run after the other end has closed."""
    poll = select.poll()
    poll.register(descriptor, 0)
    poll.poll()
    time.sleep(CLOSING_GRACE)
    end(1)


def end(code):
    """Ends this process and its children, which would otherwise keep the pipes open."""
    if hasattr(os, "killpg") and os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(code)


def pass_over(_number, _frame):
    """Handler of SIGINT, which only the run handles; unlike an ignored signal, it is not inherited by other programs."""


def main():
    # Output of the environment goes to stderr and its input is empty, because the pipes carry messages.
    incoming = os.dup(0)
    outgoing = os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    signal.signal(signal.SIGINT, pass_over)
    # Modules are found from the working directory, as with `python -m`, not from the folder of this file.
    sys.path[0] = os.getcwd()
    if hasattr(select, "poll"):
        threading.Thread(target=die_with_the_other_end, args=(incoming,), daemon=True).start()
    host = Host(os.fdopen(incoming, "rb"), outgoing)
    host.serve()
    host.close_all()
    sys.stdout.flush()
    sys.stderr.flush()
    end(0)
