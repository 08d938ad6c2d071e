"""Errors of environments, as the line that the other side prints."""

import json
import os
import traceback

OWN_FOLDER = os.path.dirname(__file__)


class WrongEnvironment(Exception):
    """A violation of PettingZoo's parallel API, in one line; repeating the call would not help."""

    def __init__(self, message, usage=False):
        super().__init__(message)
        self.usage = usage


def one_line(error):
    """`ValueError: what is wrong (file.py:12)`, the innermost place that is not in an installed package."""
    text = " ".join(str(error).split())
    line = type(error).__name__ + (": " + text if text else "")
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if os.path.dirname(frame.filename) != OWN_FOLDER
    ]
    if isinstance(error, SyntaxError) and error.filename:
        return "%s: %s (%s:%s)" % (type(error).__name__, error.msg, os.path.basename(error.filename), error.lineno)
    if not frames:
        return line
    installed = (os.sep + "site-packages" + os.sep, os.sep + "dist-packages" + os.sep, os.path.dirname(os.__file__))
    own = [frame for frame in frames if not any(part in frame.filename for part in installed)]
    last = (own or frames)[-1]
    return "%s (%s:%d)" % (line, os.path.basename(last.filename), last.lineno)


def failure(error):
    """The error as JSON, with its traceback."""
    wrong = isinstance(error, WrongEnvironment)
    trace = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    message = " ".join(str(error).split()) if wrong else one_line(error)
    return json.dumps({"message": message, "usage": wrong and error.usage, "trace": trace}).encode()


def shown(value):
    return "a %s of %d" % (type(value).__name__, len(value)) if isinstance(value, (tuple, list)) else type(value).__name__
