"""Pictures are SVG files.

The plug-in names the attribute of an older syrupy, which a newer one ignores and writes `.raw`.
"""

from pytest_textual_snapshot import SVGImageExtension

SVGImageExtension.file_extension = "svg"
