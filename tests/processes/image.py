"""Carries a Dockerfile out without an engine: its own lines, in a folder that stands for the image.

The Python it names is copied there, so that packages are installed into it and any user may run it.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.dockerfile import is_ignored, read_instructions

PARTS_LEFT_OUT = shutil.ignore_patterns("site-packages", "test", "idlelib", "__pycache__", "*.a")

WORKDIR = "/app"


class Image:
    """What `docker build` makes; `user`, `command` and `environment` are for whoever runs it."""

    def __init__(self, folder: Path, python: Path) -> None:
        self.root = folder / "root"
        self.workdir = folder / "app"
        self.environment = {
            "PATH": f"{self.root / 'bin'}:/usr/bin:/bin",
            "LD_LIBRARY_PATH": str(self.root / "lib"),  # some Pythons are in a library
        }
        self.user = 0
        self.command: list[str] = []
        self._python = python

    def build(self, context: Path) -> None:
        """Carry out every line; AssertionError for one that a folder cannot stand for."""
        dockerfile = (context / "Dockerfile").read_text(encoding="utf-8")
        for name, value in read_instructions(dockerfile):
            self._carry_out(name, value, context)
        for path in (self.workdir, *self.workdir.rglob("*")):
            path.chmod(0o555 if path.is_dir() else 0o444)  # owned by root there

    def _carry_out(self, name: str, value: str, context: Path) -> None:
        match name:
            case "FROM":
                self._install_python(value.removeprefix("python:").removesuffix("-slim"))
            case "ENV":
                here = value.replace(WORKDIR, str(self.workdir))
                self.environment |= dict(each.split("=", 1) for each in shlex.split(here))
            case "WORKDIR":
                assert value == WORKDIR
                self.workdir.mkdir()
            case "COPY":
                source, target = value.split()
                assert target in (".", "./")
                self._copy(context, source)
            case "RUN":
                self._run("/bin/sh", "-c", value)
            case "USER":
                self.user = int(value.partition(":")[0])
            case "CMD":
                self.command = json.loads(value)
            case _:
                raise AssertionError(f"{name} is not carried out here")

    def _install_python(self, version: str) -> None:
        """Copy the interpreter with its standard library, and give it a pip of its own."""
        shutil.copytree(
            self._python / "lib", self.root / "lib", symlinks=True, ignore=PARTS_LEFT_OUT
        )
        (self.root / "bin").mkdir()
        name = f"python{version}"
        shutil.copy2((self._python / "bin" / name).resolve(), self.root / "bin" / name)
        (self.root / "bin" / "python").symlink_to(name)
        self._run("python", "-m", "ensurepip", "--default-pip")

    def _run(self, *command: str) -> None:
        """Run it as the build does, with this machine's way of finding packages."""
        pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
        environment = {**pip, **self.environment, "HOME": os.environ.get("HOME", "/")}
        cwd = self.workdir if self.workdir.exists() else self.root
        ran = subprocess.run(  # noqa: S603  # our own Dockerfile
            ["/usr/bin/env", *command], cwd=cwd, env=environment, capture_output=True, check=False
        )
        assert ran.returncode == 0, (command, ran.stdout, ran.stderr)

    def _copy(self, context: Path, source: str) -> None:
        ignored = (context / ".dockerignore").read_text(encoding="utf-8")
        for path in _find_files(context, ignored):
            if source in (".", path):
                (self.workdir / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(context / path, self.workdir / path)


def _find_files(context: Path, dockerignore: str) -> Iterator[str]:
    for top in context.iterdir():
        if not is_ignored(top.name, dockerignore):
            for path in (top, *top.rglob("*")):
                name = path.relative_to(context).as_posix()
                if path.is_file() and not is_ignored(name, dockerignore):
                    yield name


def find_python(version: str) -> Path | None:
    """Return the folder of this Python, such as 3.13, on this machine."""
    if version == f"3.{sys.version_info.minor}":
        return Path(sys.base_prefix)
    ask = ["/usr/bin/env", f"python{version}", "-c", "import sys; print(sys.base_prefix)"]
    answer = subprocess.run(ask, capture_output=True, text=True, check=False)  # noqa: S603  # fixed
    return Path(answer.stdout.strip()) if answer.returncode == 0 else None
