"""What a new process pays: the import, and the way to the first result."""

from __future__ import annotations

_FIRST_CALL = """
import numpy as np
import dwsep
x = np.ones((1, 56, 56, 128), np.float32)
dwsep.DepthwiseConv2D(np.ones((3, 3, 128, 1), np.float32))(x)
"""

_FIRST_NETWORK = """
import numpy as np
import dwsep
dwsep.load({path!r})(np.ones((1, 3, 224, 224), np.float32))
"""


class Start:
    """A new process of Python each time; `numpy` is what dwsep cannot help."""

    def timeraw_numpy(self) -> str:
        return "import numpy"

    def timeraw_import(self) -> str:
        return "import dwsep"

    def timeraw_first_call(self) -> str:
        return _FIRST_CALL


class StartNetwork:
    """A process that loads MobileNetV2 from a file of dwsep's own and runs it once."""

    timeout = 300

    def setup(self) -> None:
        import tempfile
        from pathlib import Path

        from .bench_networks import load

        self.folder = tempfile.TemporaryDirectory()
        self.path = str(Path(self.folder.name, "network"))
        model = load("mobilenet_v2")
        if not hasattr(model, "save"):
            raise NotImplementedError("this commit saves no networks")
        model.save(self.path)

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            self.folder.cleanup()

    def timeraw_first_result(self) -> str:
        return _FIRST_NETWORK.format(path=self.path)
