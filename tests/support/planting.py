"""A pytest plugin that plants one fault: while a module is loaded, one line of it is another one.

Owns: the loading. Which faults there are is in `planted.py`. Never: imported by the product.
"""

import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

from hypothesis import Phase, settings

from tests.support.planted import FAULTS, NAME, Fault


class _Loader(SourceFileLoader):
    """Loads the source with the fault in it, and never what was compiled before."""

    def __init__(self, name: str, path: str, fault: Fault) -> None:
        super().__init__(name, path)
        self._fault = fault

    def get_code(self, fullname: str) -> CodeType:
        del fullname
        source = Path(self.path).read_text("utf-8")
        return compile(source.replace(self._fault.line, self._fault.instead), self.path, "exec")


class _Finder:
    """Finds the one module."""

    def __init__(self, fault: Fault) -> None:
        self._fault = fault

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != self._fault.module:
            return None
        found = PathFinder.find_spec(name, path, target)
        if found is not None and found.origin is not None:
            found.loader = _Loader(name, found.origin, self._fault)
        return found


def _plant(fault: Fault) -> None:
    if fault.module in sys.modules:
        raise RuntimeError("it was loaded before the fault could be planted")
    sys.meta_path.insert(0, _Finder(fault))


_plant(FAULTS[os.environ[NAME]])
# What fails is not made shorter: that it fails is all that is asked.
settings.register_profile("planted", phases=(Phase.generate,), deadline=None, database=None)
settings.load_profile("planted")
