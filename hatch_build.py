"""Compile the engine's hot modules into a wheel, when ``HATCH_BUILD_HOOK_ENABLE_CUSTOM=1`` asks.

mypyc makes C of the modules that ``pyproject.toml`` lists; they stand in the wheel beside their
source and behave alike. Without that variable the wheel is plain Python (docs/adr/0024).
"""

import os
import shutil
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_GROUP = "safelight"  # the shared library of all compiled modules is safelight__mypyc
# Types are checked by `make lint`; here the libraries that a module imports need not be there.
_OPTIONS = ("--config-file=", "--ignore-missing-imports", "--follow-imports=silent")


class CompiledModules(BuildHookInterface[Any]):
    """Adds to a wheel what mypyc makes of the hook's ``modules``, paths below src/safelight.

    Needs a C compiler and Python's headers.
    """

    def dependencies(self) -> list[str]:
        """Return what building needs beside hatchling."""
        return list(self.config["needs"])

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, include the results and have the wheel named for this platform."""
        del version
        headers = Path(sysconfig.get_path("include"), "Python.h")
        if not shutil.which(os.environ.get("CC", "cc")) or not headers.is_file():
            self.app.abort(
                "the engine cannot be compiled: a C compiler or Python's headers are missing. "
                "On Debian: apt-get install -y gcc python3-dev. "
                "Without HATCH_BUILD_HOOK_ENABLE_CUSTOM the wheel is plain Python."
            )
        from mypyc.build import mypycify  # noqa: PLC0415  # only there when it was asked for
        from setuptools import Distribution  # noqa: PLC0415  # as above

        self._work = tempfile.TemporaryDirectory(prefix="safelight-compiled-")
        work, source = Path(self._work.name), Path(self.root, "src")
        os.environ["MYPYPATH"] = str(source)
        extensions = mypycify(
            [f"--cache-dir={work / 'types'}", *_OPTIONS]
            + [str(source / "safelight" / name) for name in self.config["modules"]],
            group_name=_GROUP,
            target_dir=str(work / "c"),
            debug_level="0",
        )
        command = Distribution({"ext_modules": extensions}).get_command_obj("build_ext")
        command.build_lib, command.build_temp = str(work / "lib"), str(work / "objects")
        command.ensure_finalized()
        command.run()
        for made in map(Path, command.get_outputs()):
            build_data["force_include"][str(made)] = str(made.relative_to(work / "lib"))
        build_data |= {"pure_python": False, "infer_tag": True}

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what was built on the way."""
        del version, build_data, artifact_path
        self._work.cleanup()
