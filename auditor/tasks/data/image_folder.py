"""A folder with a folder of images for each class: which files count, for which class, and which are left out."""

from __future__ import annotations

import os
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from auditor.job.errors import visible
from auditor.tasks.data.known_classes import KnownClasses
from auditor.tasks.errors import TrainingError
from auditor.tasks.inventory import Remark, counted, few

IMAGE_SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".ppm", ".pgm", ".tif", ".tiff"}

SYSTEM_NAMES = {
    "__macosx",
    "__pycache__",
    "$recycle.bin",
    "@eadir",
    "desktop.ini",
    "ehthumbs.db",
    "icon\r",
    "lost+found",
    "system volume information",
    "thumbs.db",
}
"""What operating systems and tools leave in folders, in lower case. Hidden names, which begin with a dot, join them."""

TRAINING_NAMES = ("train", "training")
HELD_OUT_NAMES = ("val", "valid", "validation", "dev", "test", "testing", "eval")
"""What a folder for held-out images is called; the first that has class folders is taken."""

MAX_FILES = 20_000_000
MAX_DEPTH = 32


@dataclass
class LeftOut:
    """Counts what is passed over, with examples by reason."""

    root: Path
    hidden: dict[str, None] = field(default_factory=dict)
    others: dict[str, None] = field(default_factory=dict)
    unused: dict[str, None] = field(default_factory=dict)

    def remarks(self) -> Iterator[Remark]:
        """What was left out, in words."""
        if self.hidden:
            what = counted(len(self.hidden), "hidden file or folder", "hidden files or folders")
            yield Remark("left out", f"{what} of tools or the operating system, such as {few(list(self.hidden))}")
        if self.others:
            suffixes = Counter(Path(name).suffix.lower() or "no suffix" for name in self.others)
            kinds = few([f"{suffix} ({count:,})" for suffix, count in sorted(suffixes.items())])
            yield Remark("left out", f"{counted(len(self.others), 'file')} without a suffix of images: {kinds}")
        if self.unused:
            what = counted(len(self.unused), "file")
            yield Remark("left out", f"{what} outside the class folders: {few(list(self.unused))}")

    def name(self, path: Path) -> str:
        """A path as people read it: relative to the folder of the dataset."""
        return visible(os.path.relpath(path, self.root))


@dataclass(frozen=True)
class ImageFolder:
    """The image files of one part of a dataset.

    Attributes:
        path: the folder that holds the class folders.
        classes: the names of the class folders, in the order of their numbers.
        files: every image file with the number of its class; classes in order, files by name.
    """

    path: Path
    classes: tuple[str, ...]
    files: tuple[tuple[Path, int], ...]


@dataclass(frozen=True)
class ImageDataset:
    """The image files of a dataset.

    Attributes:
        training: the training part.
        held_out: the held-out part; None where some of the training part are set aside.
        remarks: what was left out and what was decided.
    """

    training: ImageFolder
    held_out: ImageFolder | None
    remarks: tuple[Remark, ...]


def find_images(path: Path, held_out: Path | None = None, known: KnownClasses | None = None) -> ImageDataset:
    """List the images below a folder; none is opened.

    Class folders count at any depth. A folder with `train` beside `val` or `test`, each with class folders inside, is
    divided already.

    Args:
        path: the folder of the dataset.
        held_out: the folder of its held-out part, if the job names one.
        known: the classes that there may be, if they are known from another dataset.

    Raises:
        TrainingError: there is no folder, no class, or a class without images; says what to do.
        OSError: a folder cannot be read.
    """
    origin = f"images:{path}"
    if not path.is_dir():
        raise TrainingError(f"{origin}: there is no such folder.")
    left_out = LeftOut(path)
    remarks: list[Remark] = []
    folders = _class_folders(path, left_out)
    parts = {folder.name.lower(): folder for folder in folders}
    training_root = next((parts[name] for name in TRAINING_NAMES if name in parts), None)
    if training_root is not None and parts.keys() <= {*TRAINING_NAMES, *HELD_OUT_NAMES} and _divided(training_root):
        path = training_root
        candidates = [parts[name] for name in HELD_OUT_NAMES if name in parts]
        taken = None if held_out is not None else next(filter(_divided, candidates), None)
        held_out = held_out or taken
        unused = [left_out.name(folder) for folder in folders if folder not in (training_root, taken)]
        where = f" and held-out images in {left_out.name(held_out)}" if held_out is not None else ""
        remarks.append(Remark("note", f"training images are in {left_out.name(training_root)}{where}"))
        if unused:
            remarks.append(Remark("left out", f"the folder {few(unused)}; task.held_out can name it"))
    training = _part(path, left_out, origin, known)
    names = training.classes
    held_out_part = None if held_out is None else _held_out_part(held_out, names, left_out, origin)
    if len(names) > 1 and all(name.isdecimal() for name in names):
        remarks.append(Remark("note", "class folders are numbers and are in numeric order"))
    return ImageDataset(training, held_out_part, (*remarks, *left_out.remarks()))


def _part(path: Path, left_out: LeftOut, origin: str, known: KnownClasses | None = None) -> ImageFolder:
    """The images of the class folders in one folder."""
    folders = _class_folders(path, left_out)
    if folders and all(folder.name.isdecimal() for folder in folders):
        folders.sort(key=lambda folder: (int(folder.name), folder.name))
    names = [folder.name for folder in folders]
    if known is not None:
        known.numbers(names, origin)
    numbers = {name: number for number, name in enumerate(known.names if known is not None else names)}
    found: defaultdict[str, list[Path]] = defaultdict(list)
    for folder in folders:
        found[folder.name] = sorted(_images(folder, left_out))
        if not found[folder.name]:
            raise TrainingError(
                f"{origin}: the class folder {visible(str(folder))} has no images. Add some, or remove the folder."
            )
    if not folders:
        raise TrainingError(f"{origin}: no images found; give a folder that has one folder of image files per class.")
    if known is None:
        _check_different(folders, origin)
    files = tuple((file, numbers[name]) for name, files in found.items() for file in files)
    return ImageFolder(path, tuple(numbers), files)


def _check_different(folders: Sequence[Path], origin: str) -> None:
    """Refuse class folders that are one to a person, and one class alone."""
    if len(folders) == 1:
        raise TrainingError(
            f"{origin}: has one class folder, {visible(folders[0].name)!r}. Give at least two, with the images in them."
        )
    seen: dict[str, str] = {}
    for folder in folders:
        name = folder.name
        meant = str(int(name)) if name.isdecimal() else unicodedata.normalize("NFKC", name).casefold()
        earlier = seen.setdefault(meant, name)
        if earlier != name:
            raise TrainingError(
                f"{origin}: the class folders {visible(earlier)!r} and {visible(name)!r} have the same name but for "
                "case, leading zeros or encoding. Rename one, or put their images together."
            )


def _held_out_part(path: Path, classes: Sequence[str], left_out: LeftOut, origin: str) -> ImageFolder:
    if not path.is_dir():
        raise TrainingError(f"task.held_out: images:{path}: there is no such folder.")
    where = f"{origin}: the held-out folder {visible(str(path))}"
    return _part(path, left_out, where, KnownClasses(tuple(classes), "the training part"))


def _class_folders(path: Path, left_out: LeftOut) -> list[Path]:
    folders = []
    for entry in sorted(path.iterdir()):
        if _of_the_system(entry.name):
            left_out.hidden[left_out.name(entry)] = None
        elif entry.is_dir():
            folders.append(entry)
        else:
            left_out.unused[left_out.name(entry)] = None
    return folders


def _images(folder: Path, left_out: LeftOut) -> Iterator[Path]:
    """The image files below a folder, at any depth; a link to a folder that was visited already is not followed."""
    visited: set[tuple[int, int]] = set()
    count = 0
    for place, inner, names in os.walk(folder, followlinks=True):
        status = Path(place).stat()
        depth = len(Path(place).relative_to(folder).parts)
        if (status.st_dev, status.st_ino) in visited or depth > MAX_DEPTH:
            inner.clear()
            continue
        visited.add((status.st_dev, status.st_ino))
        for name in [name for name in inner if _of_the_system(name)]:
            left_out.hidden[left_out.name(Path(place, name))] = None
            inner.remove(name)
        inner.sort()
        for name in names:
            count += 1
            if count > MAX_FILES:
                raise TrainingError(f"images: {visible(str(folder))} has more than {MAX_FILES:,} files; use fewer.")
            if _of_the_system(name):
                left_out.hidden[left_out.name(Path(place, name))] = None
            elif Path(name).suffix.lower() in IMAGE_SUFFIXES:
                yield Path(place, name)
            else:
                left_out.others[left_out.name(Path(place, name))] = None


def _divided(folder: Path) -> bool:
    """Whether a folder holds class folders."""
    return any(entry.is_dir() and not _of_the_system(entry.name) for entry in folder.iterdir())


def _of_the_system(name: str) -> bool:
    return name.startswith(".") or name.lower() in SYSTEM_NAMES
