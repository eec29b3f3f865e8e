"""One image file as the pixels that a person who looks at it would see, eight bits a channel."""

from __future__ import annotations

import warnings
from collections.abc import Set
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from auditor.base.user_file import UserFileError, open_user_file
from auditor.job.errors import visible
from auditor.job.image_options import ImageOptions
from auditor.tasks.errors import TrainingError

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "PPM", "TIFF")
"""What a file may hold, whatever its name says. Others are not even tried: some start programs to read a file."""

MAX_PIXELS = 1 << 24
"""Of one image, 4096 by 4096; a picture of a few kilobytes can claim to have thousands of times more."""

MAX_IMAGE_BYTES = 1 << 28

DEEP_MODES = ("I", "F", "I;16", "I;16B", "I;16L", "I;16N")
"""Pillow's names for images of more than eight bits a value."""

GRAY_MODES = ("1", "L", "LA", "La", *DEEP_MODES)

TURNED = "turned the way that their EXIF says"
BLENDED = "transparent and laid on a {background} background"
FIRST_FRAME = "with several pictures, of which the first is used"
HALVED = "with 16 bits a colour, reduced to the upper 8"
SCALED = "scaled from {range} to 0 … 255"
CLIPPED = "with values outside {range}, which were cut off"
CONVERTED = "converted from {mode} to RGB"
RESIZED = "resized to {height} × {width} pixels"
GRAYED = "of colour turned gray"

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Picture:
    """What a file holds.

    Attributes:
        pixels: uint8 [C, H, W] with one or three channels.
        changes: what was done to it, in words that follow "images" in a sentence.
    """

    pixels: Pixels
    changes: Set[str]


def read_picture(file: Path, origin: str, options: ImageOptions) -> Picture:
    """Decode an image file.

    Args:
        file: the file.
        origin: how messages call the dataset.
        options: what the job says of images.

    Raises:
        TrainingError: it cannot be read, or has values that no option says how to show; names the file.
    """
    from PIL import Image, UnidentifiedImageError

    name = visible(str(file))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is wrong is said below, and the limits here are lower
            with open_user_file(file, MAX_IMAGE_BYTES) as opened, Image.open(opened, formats=FORMATS) as image:
                width, height = image.size
                if width * height > MAX_PIXELS:
                    raise _too_large(origin, name, f"has {width:,} × {height:,} pixels")
                return _picture(image, opened, f"{origin}: {name}", options)
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


def to_picture(image: Any, where: str, options: ImageOptions) -> Picture:
    """The same for an image of Pillow that is open already."""
    return _picture(image, None, where, options)


def _picture(image: Any, opened: IO[bytes] | None, where: str, options: ImageOptions) -> Picture:
    from PIL import ImageOps

    changes: set[str] = set()
    if getattr(image, "n_frames", 1) > 1:
        changes.add(FIRST_FRAME)
    if image.mode not in DEEP_MODES and _is_deep(image, opened):
        changes.add(HALVED)
    turned = ImageOps.exif_transpose(image)
    if turned.size != image.size or turned.getexif().get(0x0112) != image.getexif().get(0x0112):
        changes.add(TURNED)
    image = turned
    gray = image.mode in GRAY_MODES or (image.mode in ("P", "PA") and _has_gray_palette(image))
    if image.mode in DEEP_MODES:
        image = _shallow(image, where, options, changes)
    if image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        image = _opaque(image, options, changes)
    elif image.mode not in ("1", "L", "P", "RGB"):
        changes.add(CONVERTED.format(mode=image.mode))
    if options.channels == "gray" and not gray:
        changes.add(GRAYED)
    image = image.convert("L" if options.channels == "gray" or (gray and options.channels == "auto") else "RGB")
    if options.size is not None and (image.height, image.width) != options.size:
        from PIL import Image

        height, width = options.size
        image = image.resize((width, height), Image.Resampling.BILINEAR)
        changes.add(RESIZED.format(height=height, width=width))
    pixels = np.asarray(image)
    return Picture(pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1), changes)


def _opaque(image: Any, options: ImageOptions, changes: set[str]) -> Any:
    """The image on a background of one colour, as a viewer shows it."""
    from PIL import Image

    image = image.convert("RGBA")
    if image.getchannel("A").getextrema()[0] == 255:
        return image.convert("RGB")
    changes.add(BLENDED.format(background=options.background))
    return Image.alpha_composite(Image.new("RGBA", image.size, options.background), image).convert("RGB")


def _shallow(image: Any, where: str, options: ImageOptions, changes: set[str]) -> Any:
    """An image of 16-bit integers or floats in 256 steps, as the job says; refused where it says nothing."""
    from PIL import Image

    values = np.asarray(image).astype(np.float64)
    if not np.isfinite(values).all():
        raise TrainingError(f"{where} has values that are not finite numbers. Replace them, or remove the image.")
    if options.value_range is None:
        kind = "floating-point numbers" if image.mode == "F" else "more than 8 bits"
        raise TrainingError(
            f"{where} has values of {kind}, from {values.min():g} to {values.max():g}, and models are trained on 0 to "
            "255. Set task.value_range to the values that are black and white, such as [0, 65535] for 16 bits."
        )
    low, high = options.value_range
    words = f"{low:g} … {high:g}"
    changes.add(SCALED.format(range=words))
    if values.min() < low or values.max() > high:
        changes.add(CLIPPED.format(range=words))
    scaled = np.clip((values - low) / (high - low), 0.0, 1.0) * 255
    return Image.fromarray(np.round(scaled).astype(np.uint8), "L")


def _is_deep(image: Any, opened: IO[bytes] | None) -> bool:
    """Whether a colour image has 16 bits a channel in its file, of which Pillow keeps the upper 8."""
    if image.format == "PNG" and opened is not None:
        place = opened.tell()
        opened.seek(24)  # the bit depth in the header, which comes first
        depth = opened.read(1)
        opened.seek(place)
        return depth == b"\x10"
    if image.format == "TIFF":
        bits = image.tag_v2.get(258, (8,))
        return bool(max(bits if isinstance(bits, tuple) else (bits,)) > 8)
    return False


def _has_gray_palette(image: Any) -> bool:
    colours = np.asarray(image.convert("RGB"))
    return bool((colours[..., 0] == colours[..., 1]).all() and (colours[..., 1] == colours[..., 2]).all())


def _too_large(origin: str, name: str, what: str) -> TrainingError:
    return TrainingError(
        f"{origin}: {name} {what}, and at most {MAX_PIXELS:,} are read; make the image smaller, or remove it."
    )
