"""What a served model says of an image: from the bytes that came in to labels and probabilities. No Ray is needed."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from blocks import for_inference, load_model
from search.data.decode import fitted

MOST_BYTES, MOST_PIXELS = 20 * 2**20, 50_000_000


class BadImage(ValueError):
    """What was sent is no image that can be answered; the message is a sentence for who sent it."""


class Answers:
    """A model, ready to be asked.

    Args:
        path: The model's file.
        plugins: Files that register the kinds of your own that it is made of.
        threads: Of the CPU.

    Raises:
        WeightsError: If the file can't be trusted.
    """

    def __init__(self, path: str | Path, plugins: Iterable[str] = (), threads: int = 1) -> None:
        torch.set_num_threads(threads)
        self.model = load_model(path, plugins)
        self._network = for_inference(self.model).to(memory_format=torch.channels_last)
        count = self.model.spec.head.num_classes
        self.labels = list(self.model.labels) or [str(index) for index in range(count)]

    def about(self) -> dict[str, Any]:
        """Returns what the model is, as plain data."""
        return {"labels": self.labels, "input": list(self.model.metadata.input), "metrics": self.model.metrics}

    def read(self, raw: bytes) -> NDArray[np.uint8]:  # -> C H W
        """Returns the pixels of an image file as the model wants them: upright, its centre, scaled.

        Raises:
            BadImage: If there is none, it is too large, or it can't be decoded.
        """
        from PIL import Image

        if not raw:
            raise BadImage("the request has no image: send the bytes of a PNG, JPEG or the like as its body")
        if len(raw) > MOST_BYTES:
            raise BadImage(f"the image has {len(raw):,} bytes; at most {MOST_BYTES:,} are read")
        channels, size, _ = self.model.metadata.input
        if channels not in (1, 3):
            raise BadImage(f"this model takes {channels} channels, and image files have one or three")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # Pillow's, of large images, which are refused below
                opened = Image.open(BytesIO(raw))
                width, height = opened.size
                if width * height > MOST_PIXELS:
                    raise BadImage(f"the image has {width:,}x{height:,} pixels; at most {MOST_PIXELS:,} are read")
                if opened.mode.startswith(("I", "F")):
                    raise BadImage("the image has more than 8 bits a pixel: convert it to an 8-bit image")
                return fitted(opened, size, channels)
        except BadImage:
            raise
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            said = "unknown format" if isinstance(error, Image.UnidentifiedImageError) else error
            raise BadImage(f"the image can't be read: {said}") from None

    @torch.inference_mode()
    def answer(self, images: Sequence[NDArray[np.uint8]]) -> list[dict[str, Any]]:
        """Returns, for each image, its likeliest label, and the probability of every label, the likeliest first."""
        batch = torch.from_numpy(np.stack(images))
        probabilities = self._network(self.model.preprocess(batch)).softmax(1)
        return [self._said(row) for row in probabilities.tolist()]

    def _said(self, probabilities: Sequence[float]) -> dict[str, Any]:
        ranked = sorted(zip(self.labels, probabilities, strict=True), key=lambda pair: -pair[1])
        return {"label": ranked[0][0], "probability": ranked[0][1], "probabilities": dict(ranked)}
