"""Imports of factories of environments."""

import difflib
import importlib
import importlib.util
import os
import pkgutil
import sys

from .errors import WrongEnvironment, one_line, shown
from .forms import parallel_form

OLDEST_PYTHON = (3, 9)


def load(options):
    """Imports a factory of environments. @returns a function without arguments that makes one"""
    if sys.version_info < OLDEST_PYTHON:
        version = "%d.%d" % sys.version_info[:2]
        raise WrongEnvironment(
            "env.python is %s, Python %s: it must be 3.9 or newer" % (sys.executable, version), usage=True
        )
    module = import_file(options["file"]) if options["file"] else import_named(options["module"])
    made_by = options["factory"]
    factory = module
    for part in made_by.split("."):
        if not hasattr(factory, part):
            raise WrongEnvironment("module %s has no %s: %s" % (module.__name__, part, instead(part, module)), usage=True)
        factory = getattr(factory, part)
    if not callable(factory):
        raise WrongEnvironment("%s is %s: it must be a function or a class" % (made_by, shown(factory)), usage=True)

    def make():
        try:
            env = factory(**options["kwargs"])
        except Exception as error:
            raise WrongEnvironment(
                "%s(%s) failed: %s" % (made_by, keywords(options["kwargs"]), one_line(error))
            ) from error
        env = parallel_form(env, made_by)
        check_api(env)
        return env

    return make


def instead(name, module):
    """The nearest name, or a list of those that exist."""
    found = sorted(name for name, value in vars(module).items() if callable(value) and not name.startswith("_"))
    near = difflib.get_close_matches(name, found, 1)
    if near:
        return "did you mean %s?" % near[0]
    return "it has %s" % ", ".join(found[:12]) if found else "it has nothing to call"


def keywords(kwargs):
    return ", ".join("%s=%r" % item for item in kwargs.items())


def import_file(path):
    if not os.path.isfile(path):
        raise WrongEnvironment("there is no file %s" % path, usage=True)
    sys.path.insert(0, os.path.dirname(path))
    name = os.path.splitext(os.path.basename(path))[0]

    def execute():
        spec = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        return module

    return imported(path, execute)


def import_named(name):
    return imported(name, lambda: importlib.import_module(name))


def imported(name, work):
    try:
        return work()
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(error.name + ".")):
            near = neighbour(error.name)
            raise WrongEnvironment(
                "there is no module %s for %s: %sinstall it there, or name another Python with env.python"
                % (error.name, sys.executable, "did you mean %s? Otherwise " % near if near else ""),
                usage=True,
            ) from error
        raise WrongEnvironment(
            "%s needs the module %s, which %s does not have: install it there, or name another Python with env.python"
            % (name, error.name, sys.executable)
        ) from error
    except Exception as error:
        raise WrongEnvironment("%s cannot be imported: %s" % (name, one_line(error))) from error


def neighbour(name):
    """A module of the same package with a similar name, such as another version, or None."""
    package, _, last = name.rpartition(".")
    paths = getattr(sys.modules.get(package), "__path__", None)
    if paths is None:
        return None
    near = difflib.get_close_matches(last, [module.name for module in pkgutil.iter_modules(paths)], 1, 0.8)
    return "%s.%s" % (package, near[0]) if near else None


def check_api(env):
    if not getattr(env, "possible_agents", None):
        raise WrongEnvironment("possible_agents is missing or empty: it must name all agents", usage=True)
    for method in ("reset", "step"):
        if not callable(getattr(env, method, None)):
            raise WrongEnvironment("it has no %s()" % method, usage=True)
