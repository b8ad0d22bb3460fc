"""Imports modules when they are needed.

Owns: keeping the garbage collector away from imported modules, which live until the process ends.
Collecting them takes a sixth of the start-up time and later delays one request in twenty. Never:
which module is imported, or when.
"""

import gc
import importlib
import sys
from types import ModuleType


def module(name: str) -> ModuleType:
    """Return a module, importing it if needed."""
    if name in sys.modules:
        return sys.modules[name]
    gc.disable()
    try:
        return importlib.import_module(name)
    finally:
        gc.freeze()
        gc.enable()
