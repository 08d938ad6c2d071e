"""Starts hatrpo_host, the package beside this file, wherever this file is."""

import os
import sys

# A Python that is told to be safe (-P, PYTHONSAFEPATH) does not look beside the script.
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
# An installed package is not written to: it may be read-only, and belongs to npm.
keep = sys.dont_write_bytecode
sys.dont_write_bytecode = True
from hatrpo_host.main import main  # noqa: E402

sys.dont_write_bytecode = keep
del sys.path[0]

if __name__ == "__main__":
    main()
