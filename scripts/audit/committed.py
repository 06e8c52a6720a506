"""What is committed in git, read from its objects: whatever lies in the folder, or is staged.

Nothing of the surroundings moves git to another repository, and no file is left out because it
is ignored or is said to be unchanged: contents are compared, hash by hash.
"""

import hashlib
import os
import subprocess
from pathlib import Path

# folders and files that may lie in the folder of a program, and are none
CACHE = "__pycache__"
HERE = Path()


class NoRepository(Exception):
    """There is no git, or no commit in this folder; the message says which."""


def commit(folder: Path = HERE) -> str:
    """The commit that is checked out in a folder, which must be the root of its repository.

    Raises:
        NoRepository: saying why there is none.
    """
    top = Path(_git(folder, "rev-parse", "--show-toplevel").decode().strip())
    if top.resolve() != folder.resolve():
        raise NoRepository("this folder is not a git repository")
    return _git(folder, "rev-parse", "--verify", "HEAD").decode().strip()


def files(*paths: str, folder: Path = HERE) -> dict[str, str]:
    """Every file that is committed below some paths of a folder: name -> hash of its content.

    Raises:
        NoRepository: as :func:`commit`.
    """
    listed = _git(folder, "ls-tree", "-r", "-z", commit(folder), "--", *paths).decode()
    entries = (entry.split("\t", 1) for entry in listed.split("\0") if entry)
    return {name: head.split()[2] for head, name in entries}


def text(name: str) -> str:
    """A file that is committed in this folder.

    Raises:
        NoRepository: as :func:`commit`.
    """
    return _git(HERE, "cat-file", "blob", f"HEAD:{name}").decode()


def changed(*paths: str, folder: Path = HERE) -> list[str]:
    """Files below some paths of a folder that are not as they are committed: other, missing or
    added.

    Raises:
        NoRepository: as :func:`commit`.
    """
    known = files(*paths, folder=folder)
    there = {}
    for path in (folder / path for path in paths):
        for file in [path] if path.is_file() or path.is_symlink() else sorted(path.rglob("*")):
            name = file.relative_to(folder)
            if (file.is_file() or file.is_symlink()) and CACHE not in name.parts:
                there[name.as_posix()] = _hash(file, len(next(iter(known.values()), "")))
    return sorted(name for name in known.keys() | there if known.get(name) != there.get(name))


def _hash(file, digits):
    """The hash by which git knows a content: of its length and its bytes."""
    content = str(file.readlink()).encode() if file.is_symlink() else file.read_bytes()
    algorithm = "sha256" if digits == 64 else "sha1"
    return hashlib.new(algorithm, b"blob %d\0" % len(content) + content).hexdigest()


def _git(folder, *words):
    surroundings = {name: value for name, value in os.environ.items() if name[:4] != "GIT_"}
    try:
        ended = subprocess.run(
            ["git", "-C", folder, "--no-replace-objects", *words],
            env=surroundings,
            capture_output=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise NoRepository("git is not installed") from error
    if ended.returncode != 0:
        said = ended.stderr.decode(errors="replace").strip().splitlines()
        known = not said or "not a git repository" in said[0]
        why = "this folder is not a git repository" if known else f"git says: {said[0]}"
        raise NoRepository(why)
    return ended.stdout
