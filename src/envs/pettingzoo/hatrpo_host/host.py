"""Answers to requests: one process, many environments."""

import json
import os
import struct
import sys
import time

from .environment import Environment
from .errors import WrongEnvironment, failure, one_line
from .loading import load
from .protocol import BROKEN, CLOSE, DONE, FAILED, LOAD, MAKE, PULSE, REPLAY, RESET, RUNNING, STEP, WRONG


class OtherEndGone(BaseException):
    """The other end is closed. Not an `Exception`, so that no `except Exception` catches it."""


class Host:
    def __init__(self, incoming, outgoing):
        self.incoming = incoming
        self.outgoing = outgoing
        self.make = None
        self.options = None
        self.environments = {}
        self.probed = None
        self.shown_alive = 0.0

    def serve(self):
        """Answers requests until the other end closes."""
        handlers = {
            LOAD: self.load,
            MAKE: self.make_environment,
            RESET: self.reset,
            STEP: self.step,
            REPLAY: self.replay,
            CLOSE: self.close,
        }
        while True:
            head = self.incoming.read(4)
            if len(head) < 4:
                return
            request = self.incoming.read(struct.unpack("<I", head)[0])
            self.shown_alive = time.monotonic()
            try:
                self.answer(handlers, request)
            except OtherEndGone:
                return

    def answer(self, handlers, request):
        try:
            kind, reply = DONE, handlers[request[0]](request)
        except (Exception, KeyboardInterrupt) as error:
            kind, reply = FAILED, failure(error)
        self.send(kind, reply)

    def send(self, kind, reply=b""):
        message = struct.pack("<IB", 1 + len(reply), kind) + reply
        rest = memoryview(message)
        try:
            while rest:
                rest = rest[os.write(self.outgoing, rest) :]
        except BrokenPipeError:
            raise OtherEndGone from None

    def pulse(self):
        """Reports progress between two environments or two steps of a long request."""
        now = time.monotonic()
        if now - self.shown_alive >= self.options["pulse"]:
            self.shown_alive = now
            self.send(PULSE)

    def load(self, request):
        self.options = json.loads(request[1:])
        self.make = load(self.options)
        return b""

    def make_environment(self, request):
        (slot,) = struct.unpack_from("<I", request, 1)
        environment = Environment(self.make(), self.options)
        if self.probed is None:
            environment.probe()
            self.probed = environment
        else:
            environment.describe_like(self.probed)
        self.environments[slot] = environment
        return json.dumps(environment.description()).encode()

    def reset(self, request):
        slot, seed = struct.unpack_from("<II", request, 1)
        return struct.pack("<B", RUNNING) + self.environments[slot].reset(seed)

    def step(self, request):
        (count,) = struct.unpack_from("<I", request, 1)
        at = 5
        results = []
        for _ in range(count):
            (slot,) = struct.unpack_from("<I", request, at)
            environment = self.environments[slot]
            numbers = struct.unpack_from("<%dd" % environment.actions, request, at + 4)
            at += 4 + 8 * environment.actions
            results.append(attempted(lambda: environment.step(numbers)))
            self.pulse()
        return b"".join(results)

    def replay(self, request):
        slot, seed, steps = struct.unpack_from("<III", request, 1)
        environment = self.environments[slot]
        size = environment.actions

        def work():
            result = RUNNING, environment.reset(seed)
            for step in range(steps):
                result = environment.step(struct.unpack_from("<%dd" % size, request, 13 + 8 * size * step))
                self.pulse()
            return result

        return attempted(work)

    def close(self, request):
        (slot,) = struct.unpack_from("<I", request, 1)
        self.environments.pop(slot).close()
        return b""

    def close_all(self):
        for environment in self.environments.values():
            try:
                environment.close()
            except (Exception, KeyboardInterrupt) as error:
                sys.stderr.write("closing an environment: %s\n" % one_line(error))


def attempted(work):
    """Result of a step: its status and views, or its status and the error."""
    try:
        status, views = work()
        return struct.pack("<B", status) + views
    except (Exception, KeyboardInterrupt) as error:
        told = failure(error)
        status = WRONG if isinstance(error, WrongEnvironment) else BROKEN
        return struct.pack("<BI", status, len(told)) + told
