"""Reading a folder of images."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from auditor.base.user_file import UserFileError, open_user_file
from auditor.job.errors import visible
from auditor.tasks.data.dataset import Dataset, check_memory, make_dataset
from auditor.tasks.errors import TrainingError

IMAGE_SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".ppm", ".pgm", ".tif", ".tiff"}

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "PPM", "TIFF")
"""What a file may hold, whatever its name says. Others are not even tried: some start programs to read a file."""

MAX_PIXELS = 1 << 24
"""Of one image, 4096 by 4096; a picture of a few kilobytes can claim to have thousands of times more."""

MAX_IMAGE_BYTES = 1 << 28

Pixels = NDArray[np.uint8]


def load_images(path: Path) -> Dataset:
    """A folder with one folder of images per class; classes are numbered in the order of their names.

    Raises:
        TrainingError: it is not such a folder; names the file and what is wrong with it.
        OSError: a folder cannot be read.
    """
    origin = f"images:{path}"
    if not path.is_dir():
        raise TrainingError(f"{origin}: there is no such folder.")
    folders = sorted(folder for folder in path.iterdir() if folder.is_dir())
    images: list[Pixels] = []
    labels: list[int] = []
    for label, folder in enumerate(folders):
        for file in sorted(folder.iterdir()):
            if file.suffix.lower() not in IMAGE_SUFFIXES:
                continue
            pixels = _read(file, origin)
            if images and pixels.shape != images[0].shape:
                raise TrainingError(
                    f"{origin}: {visible(str(file))} is {list(pixels.shape)} and those before are "
                    f"{list(images[0].shape)} (channels, height, width); make all images alike."
                )
            images.append(pixels)
            labels.append(label)
            check_memory(len(images) * pixels.nbytes, origin)
    if not images:
        raise TrainingError(f"{origin}: no images found; give a folder that has one folder of image files per class.")
    return make_dataset(torch.from_numpy(np.stack(images)), torch.tensor(labels), origin=origin)


def _read(file: Path, origin: str) -> Pixels:
    """One image as [C, H, W]."""
    from PIL import Image, UnidentifiedImageError

    name = visible(str(file))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is wrong is said below, and the limits here are lower
            with open_user_file(file, MAX_IMAGE_BYTES) as opened, Image.open(opened, formats=FORMATS) as image:
                width, height = image.size
                if width * height > MAX_PIXELS:
                    raise _too_large(origin, name, f"has {width:,} × {height:,} pixels")
                return _pixels(image)
    except UserFileError as error:
        raise TrainingError(f"{origin}: {name} {error}.") from None
    except UnidentifiedImageError:
        kinds = f"{', '.join(FORMATS[:-1])} or {FORMATS[-1]}"
        raise TrainingError(f"{origin}: {name} cannot be read: it is not a {kinds} image.") from None
    except Image.DecompressionBombError:
        raise _too_large(origin, name, "has too many pixels") from None
    except TrainingError:
        raise
    except Exception as error:  # decoders raise dozens of kinds on what is broken
        raise TrainingError(f"{origin}: {name} cannot be read: {visible(str(error))[:200]}") from None


def _pixels(image: Any) -> Pixels:
    mode = "L" if image.mode in ("1", "L", "I;16") else "RGB"
    pixels = np.asarray(image.convert(mode))
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)


def _too_large(origin: str, name: str, what: str) -> TrainingError:
    return TrainingError(
        f"{origin}: {name} {what}, and at most {MAX_PIXELS:,} are read; make the image smaller, or remove it."
    )
