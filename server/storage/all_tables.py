"""The metadata with all tables, for migrations and restores.

Other modules import only the tables that they use, so `tables.metadata` may lack the others.
"""

from importlib import import_module
from pathlib import Path

from server.storage.tables import metadata

for _file in Path(__file__).parent.glob("*/tables.py"):
    import_module(f"server.storage.{_file.parent.name}.tables")

__all__ = ["metadata"]
