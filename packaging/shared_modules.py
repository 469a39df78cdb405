"""Start of every executable: its modules are in `_internal/modules.pyz`, one archive for all of them.

PyInstaller puts an archive into each executable; this makes its importer read the shared one instead.
"""

import os
import sys

import pyimod01_archive
import pyimod02_importers

pyimod02_importers.pyz_archive = pyimod01_archive.ZlibArchiveReader(
    os.path.join(sys._MEIPASS, "modules.pyz"), 0, check_pymagic=True
)
sys.path_importer_cache.clear()  # finders that know the empty archive
