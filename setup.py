"""Build clustersim: as pure Python, or with its engine compiled by mypyc.

`pip install .` and `pip wheel .` compile the modules below where a C compiler is found, and say so in one
sentence where none is.  An editable install never holds an extension, so that nothing in a checkout can be
older than its source.  `CLUSTERSIM_PURE=1` asks for a pure wheel.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from setuptools import Extension, setup

ROOT = Path(__file__).resolve().parent
ENGINE = ROOT / "sim" / "clustersim" / "engine"
LEFT_AS_PYTHON = {
    "environment.py",  # inherits from a class of SimPy, as no compiled class can
    "replication.py",  # joins the parts, once for each replication
    "audit.py",  # these five are sums over numpy's columns, which are as quick in Python
    "incidents.py",
    "ledger.py",
    "segments.py",
    "timeline.py",
}
FLAGS = [
    "--no-site-packages",  # so that the code is the same whatever else is installed here
    "--ignore-missing-imports",
    "--follow-imports=silent",
    "--no-warn-unused-ignores",
    "--no-color-output",
    "--config-file=",
]


def compiled() -> list[str]:
    """Return the modules that are compiled: what runs once or more for each failure."""
    engine = (path for path in ENGINE.rglob("*.py") if path.name not in LEFT_AS_PYTHON)
    beside = (ROOT / "sim" / "clustersim" / name for name in ("failure.py", "streams.py"))
    return [str(path.relative_to(ROOT)) for path in (*sorted(engine), *beside)]


def can_compile(folder: str) -> bool:
    """Return whether a C compiler is there that finds Python's headers."""
    from distutils.ccompiler import new_compiler
    from distutils.errors import CCompilerError, DistutilsError
    from distutils.sysconfig import customize_compiler, get_python_inc

    source = Path(folder) / "has_python.c"
    source.write_text("#include <Python.h>\nint main(void) { return 0; }\n")
    compiler = new_compiler()
    customize_compiler(compiler)
    try:
        compiler.compile([str(source)], output_dir=folder, include_dirs=[get_python_inc()])
    except (CCompilerError, DistutilsError, OSError):
        return False
    return True


def extensions(folder: str) -> list[Extension]:
    """Return the compiled modules of a wheel; none where that is not wanted or not possible."""
    if "bdist_wheel" not in sys.argv or os.environ.get("CLUSTERSIM_PURE", "0") not in ("", "0"):
        return []
    if not can_compile(folder):
        print("clustersim: no C compiler that finds Python.h here; the engine stays pure Python, and slower.")
        return []
    from mypyc.build import mypycify

    # Without contraction of a * b + c both builds give the same bytes.
    os.environ["CFLAGS"] = f"{os.environ.get('CFLAGS', '')} -ffp-contract=off".strip()
    os.chdir(ROOT)
    os.environ["MYPYPATH"] = str(ROOT / "sim")
    found: list[Extension] = mypycify(
        [*FLAGS, *compiled()], opt_level="3", group_name="clustersim", target_dir=folder
    )
    return found


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="clustersim-build-") as folder:
        setup(ext_modules=extensions(folder), options={"build": {"build_base": folder}})
