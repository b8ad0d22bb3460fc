"""Modules that are imported when they are needed.

Owns: that the garbage collector does not look through them, neither while they are imported nor
ever again: all that was imported stays until the end. It takes a sixth of a start otherwise, and
later holds up one request in twenty on its way to the screen.
Never: which module, or when.
"""

import gc
import importlib
import sys
from types import ModuleType


def module(name: str) -> ModuleType:
    """Return a module, imported now if it was not yet."""
    if name in sys.modules:
        return sys.modules[name]
    gc.disable()
    try:
        return importlib.import_module(name)
    finally:
        gc.freeze()
        gc.enable()
