"""`python -m tests.support.reference`: write every generated page of the reference."""

from tests.support.reference.pages import FOLDER, PAGES

for name, make in PAGES.items():
    (FOLDER / name).write_text(make(), encoding="utf-8")
