"""What a Dockerfile and a .dockerignore say."""

import re
from fnmatch import fnmatchcase
from pathlib import PurePosixPath


def read_instructions(dockerfile: str) -> list[tuple[str, str]]:
    """Return the instructions in order, such as `("USER", "10001")`."""
    lines = re.sub(r"\\\n", " ", dockerfile).splitlines()
    return [
        (name.upper(), value.strip())
        for name, _, value in (line.partition(" ") for line in lines)
        if name and not name.startswith("#")
    ]


def is_ignored(path: str, dockerignore: str) -> bool:
    """Tell whether a file stays out of the image; the last pattern that fits it decides."""
    above = [path, *(str(each) for each in PurePosixPath(path).parents if each.name)]
    ignored = False
    for line in dockerignore.splitlines():
        pattern = line.strip().removeprefix("!")
        anywhere = pattern.removeprefix("**/")
        if pattern and not pattern.startswith("#"):
            names = [each.rpartition("/")[2] for each in above] if anywhere != pattern else above
            if any(fnmatchcase(name, anywhere) for name in names):
                ignored = not line.startswith("!")
    return ignored
