"""Starts hatrpo_host, the package beside this file, wherever this file is."""

import os
import sys

# A Python in safe mode (-P, PYTHONSAFEPATH) does not search the folder of the script.
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
# No bytecode is written to an installed package, which may be read-only and belongs to npm.
keep = sys.dont_write_bytecode
sys.dont_write_bytecode = True
from hatrpo_host.main import main  # noqa: E402

sys.dont_write_bytecode = keep
del sys.path[0]

if __name__ == "__main__":
    main()
