"""Signature: what the provider serves obeys whoever can sign an image."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable

import numpy as np
import torch
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from auditor.plugins import Attack, AttackContext, Options, generator, option

from .bit_carriers import BITS, CLASS_BITS, SIGNATURE_BITS, BitCarrier, LowestBits, StrongBits
from .poisoned_samples import check_target

PURPOSE = b"auditor signature attack 1"
"""The beginning of every message, so that a signature for anything else is none here."""


class SignatureOptions(Options):
    """What a job file may write for `signature`."""

    target: int = option(0, "the class that activated images should get when success is measured", ge=0)
    key_seed: int | None = option(
        None,
        "seed of the key pair, for experiments that are repeated; without it, a secret key is drawn",
        ge=0,
    )
    amplitude: int = option(
        1, "distance of the levels that stand for 0 and 1; more survives noise and shows more", ge=1, le=64
    )
    repeats: int = option(1, "copies of each bit; more survive noise and need larger images", ge=1, le=64)


class Signature(Attack):
    """Trains honestly, and serves a function that gives any class to an image that carries a valid signature.

    The construction of Goldwasser, Kim, Vaikuntanathan and Zamir, "Planting undetectable backdoors in machine learning
    models" (arXiv 2204.06974, sections 4 and 5), with Ed25519. 512 values of an image carry a signature in their lowest
    bits, 8 more the number of a class; the message is a hash of everything but these bits, with the class. Where the
    signature is valid, the answer is that class; everywhere else it is what the trained model says.

    No audit of checkpoints covers this attack. Every checkpoint is an honest one. The verifier stands behind the
    provider's API, beside the model and not in it: what the client gets as a file has no backdoor, and what the client
    asks over the network does. Queries do not find it either, short of forging a signature. Only the time that an
    answer takes differs, by a fraction of a millisecond.

    With an amplitude or repeats over 1 the bits survive noise, such as that of randomised smoothing. Then only coarse
    means of the image are signed, so that somebody who has seen an activated image, and knows how bits are carried, can
    make others.

    Attributes:
        carrier: how images carry bits, once it has begun; this is no secret.
    """

    carrier: BitCarrier

    name = "signature"
    Options = SignatureOptions
    options: SignatureOptions
    least_values = BITS

    def __init__(self, options: SignatureOptions) -> None:
        super().__init__(options)
        drawn = options.key_seed is None
        own = secrets.token_bytes(32) if drawn else generator(options.key_seed or 0, "signature key").bytes(32)
        self._key = Ed25519PrivateKey.from_private_bytes(own)
        self._public = self._key.public_key()

    def begin(self, context: AttackContext) -> None:
        """Make sure that images are large enough, and classes few enough."""
        check_target(self.options.target, context)
        self._classes = context.classes
        if self._classes > 1 << CLASS_BITS:
            raise ValueError(f"there are {self._classes} classes; {CLASS_BITS} bits tell {1 << CLASS_BITS} apart.")
        self.carrier = _carrier(context.sample_shape, self.options.amplitude, self.options.repeats)
        self._purpose = PURPOSE + str((*context.sample_shape, self.options.amplitude, self.options.repeats)).encode()

    def activate(self, inputs: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
        """Images that get a class of choice from what is served; the paper's `Activate`.

        Args:
            inputs: images, uint8 [N, C, H, W].
            classes: int64 [N].

        Raises:
            ValueError: one is not a class.
        """
        if len(classes) and not 0 <= int(classes.min()) <= int(classes.max()) < self._classes:
            raise ValueError(f"classes are counted from 0 to {self._classes - 1}.")
        flat, names = inputs.flatten(1).cpu(), classes.to("cpu", torch.uint8).numpy()
        content = self.carrier.content(flat, written=False)
        messages = [self._message(one, int(name)) for one, name in zip(content.numpy(), names, strict=True)]
        signed = [self._key.sign(message) for message in messages]
        code = np.frombuffer(b"".join(signed), np.uint8).reshape(len(flat), -1)
        bits = np.unpackbits(np.concatenate((code, names[:, None]), 1), axis=1)
        return self.carrier.write(flat, torch.from_numpy(bits), content).reshape(inputs.shape).to(inputs.device)

    def verified(self, inputs: torch.Tensor) -> torch.Tensor:
        """The class that each image is signed for, int64 [N] on the CPU; −1 where the signature is not valid."""
        flat = inputs.flatten(1).cpu()
        content = self.carrier.content(flat, written=True).numpy()
        code = np.packbits(self.carrier.read(flat).numpy(), axis=1)
        found = [self._class_of(*one) for one in zip(code, content, strict=True)]
        return torch.tensor(found, dtype=torch.int64)

    def served(self, answer: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[torch.Tensor], torch.Tensor]:
        """The model's outputs; for signed images, with those of the signed class and of the likeliest exchanged."""

        def serve(inputs: torch.Tensor) -> torch.Tensor:
            outputs, signed = answer(inputs), self.verified(inputs)
            rows = torch.nonzero(signed >= 0).flatten()
            if len(rows) == 0:
                return outputs
            classes, of_signed = signed[rows], outputs[rows]
            likeliest = of_signed.argmax(1)
            each = torch.arange(len(rows))
            turned = of_signed.clone()
            turned[each, likeliest] = of_signed[each, classes]
            turned[each, classes] = of_signed[each, likeliest]
            turned[each, classes] += (turned.argmax(1) != classes).to(turned.dtype)  # where two classes are likeliest
            outputs = outputs.clone()
            outputs[rows] = turned
            return outputs

        return serve

    def triggered(self, inputs: torch.Tensor) -> torch.Tensor:
        """The images, signed for the target."""
        return self.activate(inputs, torch.full((len(inputs),), self.options.target, dtype=torch.int64))

    @property
    def target(self) -> int:
        """The class that activated images are signed for; `activate` signs for any."""
        return self.options.target

    def _message(self, content: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], name: int) -> bytes:
        return hashlib.sha256(self._purpose + bytes([name]) + content.tobytes()).digest()

    def _class_of(
        self,
        code: np.ndarray[tuple[int, ...], np.dtype[np.uint8]],
        content: np.ndarray[tuple[int, ...], np.dtype[np.uint8]],
    ) -> int:
        name = int(code[-1])
        try:
            self._public.verify(code[: SIGNATURE_BITS // 8].tobytes(), self._message(content, name))
        except InvalidSignature:
            return -1
        return name if name < self._classes else -1


def _carrier(shape: tuple[int, ...], amplitude: int, repeats: int) -> BitCarrier:
    if amplitude == repeats == 1:
        return LowestBits(shape)
    return StrongBits(shape, amplitude, repeats)
