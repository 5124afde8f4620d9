"""Images of shapes that cover each other: content to learn a style on where photos are few.

Not photos, but with what a network meets in them: sharp edges at all sizes, flat areas beside
textured ones, shading, mostly gray colors, and the spectrum of natural images.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]
Plane = npt.NDArray[np.float32]

SIDE = 320
"""Of a scene, in pixels."""
# Scenes are drawn larger and reduced, which makes edges as soft as a camera's.
_DRAWN = 2 * SIDE
_SHAPES = 400
# Smallest and largest radius of a shape, in pixels as drawn.
_RADII = (10.0, 280.0)
# The exponent of the power law of the radii. At 3, the natural one (Lee et al. 2001), each octave
# of sizes covers as much; here large shapes cover more, so that a few hundred fill a scene.
_POWER = 2.2
# Standard deviation of the two differences of color, beside a brightness over the whole range.
_CHROMA = 0.1


def write_scenes(folder: Path, count: int, *, seed: int = 0) -> None:
    """Write scenes as PNG; the same numbers give the same files.

    Args:
        folder: Where; it exists.
        count: How many.
        seed: Decides what is drawn.
    """
    for number in range(count):
        scene = draw_scene(np.random.default_rng((seed, number)))
        cv2.imwrite(str(folder / f"scene-{number:03}.png"), scene[..., ::-1])


def draw_scene(generator: np.random.Generator) -> Image:
    """Draw shapes of all sizes that cover each other, each with its shading and texture.

    Args:
        generator: Decides what is drawn.

    Returns:
        (320, 320, 3) RGB.

    References:
        The dead leaves model: Lee, Mumford, Huang 2001, Occlusion Models for Natural Images.
        Baradad et al. 2021, Learning to See by Looking at Noise, train networks on such images.
        Spectra: Field 1987, Relations Between the Statistics of Natural Images and the Response
        Properties of Cortical Cells.
    """
    texture = _texture(generator)
    canvas = _surface(generator, texture, _DRAWN, _DRAWN)
    for _ in range(_SHAPES):
        _cover(canvas, generator, texture)
    reduced = cv2.resize(canvas, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return (reduced.clip(0, 1) * 255).round().astype(np.uint8)


def _cover(canvas: Plane, generator: np.random.Generator, texture: Plane) -> None:
    """Draw one more shape, over those that are there."""
    radius = _radius(generator)
    center = generator.uniform(0, _DRAWN, 2)
    left, top = (max(0, int(middle - radius)) for middle in center)
    right, bottom = (min(_DRAWN, int(middle + radius) + 1) for middle in center)
    outline = _outline(generator, radius) + center - (left, top)
    mask = np.zeros((bottom - top, right - left), np.uint8)
    cv2.fillPoly(mask, [outline.round().astype(np.int32)], 1)
    area = canvas[top:bottom, left:right]
    surface = _surface(generator, texture, *area.shape[:2])
    area[mask == 1] = surface[mask == 1]


def _radius(generator: np.random.Generator) -> float:
    """By inversion of the power law's distribution."""
    low, high = (limit ** (1 - _POWER) for limit in _RADII)
    return float((low + generator.random() * (high - low)) ** (1 / (1 - _POWER)))


def _outline(generator: np.random.Generator, radius: float) -> npt.NDArray[np.float64]:
    """Points around (0, 0) within the radius: an ellipse, or a polygon of a few corners."""
    corners = 48 if generator.random() < 0.5 else int(generator.integers(3, 8))
    angles = np.sort(generator.uniform(0, 2 * np.pi, corners)) if corners < 48 else None
    if angles is None:
        angles = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    points = np.stack([np.cos(angles), np.sin(angles) * generator.uniform(0.3, 1)], axis=1)
    turn = generator.uniform(0, 2 * np.pi)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return np.asarray(radius * points @ rotation)


def _surface(generator: np.random.Generator, texture: Plane, height: int, width: int) -> Plane:
    """A color that changes evenly in one direction, and some of the texture on it."""
    brightness = generator.uniform(0.02, 0.98)
    red, blue = generator.normal(0, _CHROMA, 2)
    color = brightness + np.array([red, -0.3 * red - 0.3 * blue, blue])
    angle, change = generator.uniform(0, 2 * np.pi), generator.uniform(0, 0.4)
    rows, columns = np.linspace(-0.5, 0.5, height)[:, None], np.linspace(-0.5, 0.5, width)
    shade = change * (np.cos(angle) * columns + np.sin(angle) * rows)
    # Most surfaces are nearly flat, as skies and walls are.
    contrast = 0.18 * generator.random() ** 2
    top, left = (int(generator.integers(_DRAWN - side + 1)) for side in (height, width))
    shade = shade + contrast * texture[top : top + height, left : left + width]
    return np.asarray(color + shade[..., None], np.float32)


def _texture(generator: np.random.Generator) -> Plane:
    """Noise whose amplitude falls with the frequency, as in natural images; deviation 1."""
    spectrum = np.fft.rfft2(generator.standard_normal((_DRAWN, _DRAWN)))
    rows, columns = np.fft.fftfreq(_DRAWN)[:, None], np.fft.rfftfreq(_DRAWN)
    frequency = np.hypot(rows, columns)
    frequency[0, 0] = np.inf
    noise = np.fft.irfft2(spectrum / frequency ** generator.uniform(0.7, 1.3), (_DRAWN, _DRAWN))
    return np.asarray(noise / noise.std(), np.float32)
