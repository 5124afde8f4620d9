"""Photos in, images out; and the frames of clips as images."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from vidstyle.cli.main import run_command

Shape = tuple[int, ...]


def write_photo(path: Path, shape: Shape = (60, 80, 3), kind: Any = np.uint8) -> Path:
    """A gradient with a disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    y, x = np.mgrid[: shape[0], : shape[1]]
    level = (x * 2 + y * 3) % 256
    image = level if len(shape) == 2 else np.stack([level, 255 - level, x, y], -1)[..., : shape[2]]
    image = image.astype(kind) * (257 if kind is np.uint16 else 1)
    cv2.circle(image, (shape[1] // 2, shape[0] // 2), 15, (0,) * 4, -1)
    assert cv2.imwrite(str(path), image)
    return path


def pixels(path: Path) -> np.ndarray[Any, Any]:
    found = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert found is not None
    return found


def json_lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_photo_is_what_per_frame_makes_of_a_folder_with_it(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    photo = write_photo(folder / "photo.jpg")
    write_photo(folder / "one" / "0001.jpg")
    assert run_command(["run", "per-frame", "one", "-o", "frames/"]) == 0
    wanted = (folder / "frames" / "000000.png").read_bytes()
    for pipeline in ("per-frame", "temporal"):
        capfd.readouterr()
        assert run_command(["run", pipeline, "photo.jpg", "-o", f"{pipeline}.png"]) == 0
        assert (folder / f"{pipeline}.png").read_bytes() == wanted
        assert "note:" not in capfd.readouterr().err
    assert not np.array_equal(pixels(folder / "temporal.png"), pixels(photo))
    # Another format needs no stylization.
    assert run_command(["run", "temporal", "photo.jpg", "-o", "out.webp"]) == 0
    assert "the frames of temporal.png are used: only the file is made" in capfd.readouterr().err
    assert pixels(folder / "out.webp").shape == (60, 80, 3)


def test_a_photo_without_an_output_keeps_its_format(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write_photo(folder / "photo.jpg")
    write_photo(folder / "scan.pgm", (60, 80))
    assert run_command(["run", "identity.yaml", "photo.jpg"]) == 0
    assert (folder / "photo-identity.jpg").read_bytes().startswith(b"\xff\xd8")
    assert run_command(["run", "identity.yaml", "scan.pgm"]) == 0
    assert pixels(folder / "scan-identity.png").shape == (60, 80, 3)
    capfd.readouterr()
    assert run_command(["run", "identity.yaml", "photo.jpg"]) == 0
    assert "photo-identity.jpg is done already" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("name", "shape", "kind", "wanted"),
    [
        ("gray.png", (60, 80), np.uint8, ((60, 80, 3), "uint8")),
        ("deep.png", (60, 80, 3), np.uint16, ((60, 80, 3), "uint16")),
        ("clear.png", (60, 80, 4), np.uint8, ((60, 80, 4), "uint8")),
        ("odd.tiff", (33, 47, 3), np.uint8, ((33, 47, 3), "uint8")),
    ],
)
def test_any_photo_comes_back_as_it_was(
    folder: Path, name: str, shape: Shape, kind: Any, wanted: tuple[Shape, str]
) -> None:
    photo = pixels(write_photo(folder / name, shape, kind))
    assert run_command(["run", "identity.yaml", name, "-o", "out.tif"]) == 0
    found = pixels(folder / "out.tif")
    assert (found.shape, str(found.dtype)) == wanted
    assert np.array_equal(found, photo if photo.ndim == 3 else np.stack([photo] * 3, -1))


def test_a_photo_is_turned_upright(folder: Path) -> None:
    image = pixels(write_photo(folder / "flat.png"))
    exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"
    data = cv2.imencode(".jpg", image)[1].tobytes()
    mark = b"\xff\xe1" + (len(exif) + 8).to_bytes(2, "big") + b"Exif\0\0" + exif
    (folder / "turned.jpg").write_bytes(data[:2] + mark + data[2:])
    assert run_command(["run", "identity.yaml", "turned.jpg", "-o", "out.png"]) == 0
    assert pixels(folder / "out.png").shape == (80, 60, 3)


def test_frames_of_a_clip_become_images(
    folder: Path, write_clip: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    write_clip(folder / "in.mp4", count=6)
    command = ["run", "identity.yaml", "in.mp4", "-o"]
    assert run_command([*command, "frames/"]) == 0
    assert len(list((folder / "frames").glob("*.png"))) == 6
    assert run_command([*command, "frames/"]) == 0
    assert "frames is done already" in capfd.readouterr().err
    assert run_command([*command, "one.png", "--frames", "3:4"]) == 0
    same = (folder / "frames" / "000003.png").read_bytes()
    assert (folder / "one.png").read_bytes() == same
    assert run_command([*command, "named/wave-%03d.jpg", "--frames", "2:4"]) == 0
    names = sorted(path.name for path in (folder / "named").iterdir())
    assert names == ["vidstyle.json", "wave-000.jpg", "wave-001.jpg"]
    # A folder that is there takes the clip under its own name.
    (folder / "there").mkdir()
    assert run_command([*command, "there/", "--set", "encode.codec=libx264"]) == 0
    assert av.open(str(folder / "there" / "in.mp4")).streams.video


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["in.mp4", "-o", "out.png"], 2, "out.png is one image, and the clip has 4 frames: choose"),
        (["in.mp4", "-o", "out.webp"], 2, "choose one with --frames N:N+1, or name a folder"),
        (["in.mp4", "-o", "new/%d%d.png"], 2, "names of images are letters"),
        (["photo.jpg", "-o", "out.mp4"], 2, "photo.jpg is one image, and out.mp4 the name of a"),
        (["photo.jpg", "-o", "out.png", "--crf", "20"], 2, "--crf 20: the output is an image"),
        (["photo.jpg", "-o", "o.ppm"], 2, "for an image name the output .png, .jpg, .jpeg, .webp"),
        (["photo.jpg", "-o", "o"], 2, "o has no suffix: for an image name the output .png"),
        (["in.mp4", "-o", "o"], 2, "name the output .mkv, or o/ for a folder of images"),
        (["photo.jpg", "-o", "photo.jpg"], 2, "the output is the input itself"),
        (["photo.jpg", "-o", "gone/out.png"], 6, "the folder gone does not exist"),
        (["broken.png", "-o", "out.png"], 3, "broken.png: not an image that can be read"),
        (["in.mp4", "-o", "out.mkv", "--frames", "3s:4"], 2, "wanted two frame numbers or two"),
        (["in.mp4", "-o", "out.mkv", "--frames", "9s:"], 3, "--frames starts at 9s, but the last"),
    ],
)
def test_what_cannot_be_says_so_in_one_line(  # type: ignore[no-untyped-def]  # fixtures
    folder, write_clip, capfd, arguments, code, message
) -> None:
    write_clip(folder / "in.mp4", count=4)
    write_photo(folder / "photo.jpg")
    (folder / "broken.png").write_bytes(b"no image")
    assert run_command(["run", "identity.yaml", *arguments]) == code
    error = capfd.readouterr().err.strip().splitlines()[-1]
    assert message in error
    assert not (folder / "out.png").exists()


def test_a_folder_that_is_not_there_is_made_for_a_photo(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write_photo(folder / "photo.jpg")
    command = ["run", "identity.yaml", "photo.jpg", "-o", "new/er/"]
    assert run_command([*command, "--dry-run"]) == 0
    assert not (folder / "new").exists()
    assert run_command(command) == 0
    assert pixels(folder / "new" / "er" / "photo.jpg").shape == (60, 80, 3)
    (folder / "file").touch()
    capfd.readouterr()
    assert run_command([*command[:-1], "file/new/"]) == 6
    assert "file is not a folder" in capfd.readouterr().err


def test_a_photo_is_written_under_its_number(folder: Path) -> None:
    write_photo(folder / "photo.jpg")
    (folder / "out").mkdir()
    standing = write_photo(folder / "out" / "photo.jpg").read_bytes()
    command = ["run", "identity.yaml", "photo.jpg", "--overwrite", "-o"]
    assert run_command([*command, "out/x%d.png"]) == 0
    assert run_command([*command, "out/x%03d.webp"]) == 0
    # A percent sign alone is a part of the name.
    assert run_command([*command, "out/50%.png"]) == 0
    assert {path.name for path in (folder / "out").iterdir()} == {
        *("photo.jpg", "x0.png", "x000.webp", "50%.png", ".vidstyle")
    }
    assert np.array_equal(pixels(folder / "out" / "x0.png"), pixels(folder / "photo.jpg"))
    assert (folder / "out" / "photo.jpg").read_bytes() == standing


@pytest.fixture
def album(folder: Path) -> Path:
    write_photo(folder / "album" / "cat.jpg")
    write_photo(folder / "album" / "trip" / "IMG_1.PNG", (80, 60, 3))
    write_photo(folder / "album" / "trip" / "IMG_2.PNG", (60, 80, 3))
    (folder / "album" / "notes.txt").write_text("rain")
    return folder / "album"


def test_a_folder_of_photos_keeps_names_and_does_what_is_missing(
    album: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    command = ["batch", "identity.yaml", "album", "-o", "out", "--jobs", "2"]
    assert run_command(command) == 0
    text = capfd.readouterr().err
    assert "2 images in album/trip are photos: they differ in size (--no-photos" in text
    assert "skipped, not clips: notes.txt" in text
    assert "cat.jpg: 1 frame in " in text
    out = album.parent / "out"
    assert pixels(out / "trip" / "IMG_1.PNG").shape == (80, 60, 3)
    assert np.array_equal(pixels(out / "trip" / "IMG_2.PNG"), pixels(album / "trip" / "IMG_2.PNG"))
    assert (out / "cat.jpg").read_bytes().startswith(b"\xff\xd8")
    (out / "cat.jpg").unlink()
    assert run_command([*command, "--json"]) == 0
    events = json_lines(capfd.readouterr().out)
    assert events[-1]["states"] == {"done": 1, "done already": 2}
    assert (out / "cat.jpg").exists()


def test_an_option_of_images_counts_for_all_photos(album: Path) -> None:
    command = ["batch", "identity.yaml", "album", "-o"]
    assert run_command([*command, "fine"]) == 0
    assert run_command([*command, "small", "--set", "encode.quality=10"]) == 0
    sizes = [(album.parent / name / "cat.jpg").stat().st_size for name in ("fine", "small")]
    assert sizes[1] < sizes[0]


def test_run_takes_photos_clips_and_folders_of_photos(
    album: Path, write_clip: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    write_clip(album.parent / "in.mkv", count=3)
    command = ["run", "identity.yaml", "in.mkv", "album/trip", "album/cat.jpg", "-o", "out"]
    assert run_command(command) == 0
    assert "2 images in album/trip are photos: they differ in size" in capfd.readouterr().err
    names = sorted(path.name for path in (album.parent / "out").iterdir() if path.suffix)
    assert names == ["IMG_1.PNG", "IMG_2.PNG", "cat.jpg", "in.mkv", "summary.json"]


def test_the_user_and_the_output_say_what_a_folder_of_images_is(
    album: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for number in range(3):
        write_photo(album.parent / "shot" / f"{number}.png")
    (album.parent / "shot" / "2.png").rename(album.parent / "shot" / "last.png")
    assert run_command(["run", "identity.yaml", "shot", "-o", "clip.mkv"]) == 0
    assert run_command(["run", "identity.yaml", "shot", "-o", "frames/", "--no-photos"]) == 0
    assert len(list((album.parent / "frames").glob("*.png"))) == 3
    assert run_command(["run", "identity.yaml", "shot", "-o", "photos"]) == 0
    assert (album.parent / "photos" / "last.png").exists()
    capfd.readouterr()
    assert run_command(["run", "identity.yaml", "album/trip", "-o", "t.mkv"]) == 3
    assert "or stylize each by itself with `vidstyle run --photos`" in capfd.readouterr().err


def test_frames_by_time_are_frames_by_number(
    folder: Path, write_clip: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    write_clip(folder / "in.mp4", count=30)
    command = ["run", "identity.yaml", "in.mp4", "-o", "out.mkv", "--json", "--frames"]
    assert run_command([*command, "10:20"]) == 0
    by_number = json_lines(capfd.readouterr().out)[-1]
    assert by_number["frames"] == 10
    assert run_command([*command, "400ms:.8s"]) == 0
    again = json_lines(capfd.readouterr().out)[-1]
    assert (again["event"], again["hash"]) == ("already-done", by_number["hash"])
    assert run_command([*command, "0.5s:", "--overwrite"]) == 0
    assert json_lines(capfd.readouterr().out)[-1]["frames"] == 17


def test_an_animated_png_is_a_clip(folder: Path, write_clip: Any) -> None:
    write_clip(folder / "in.mp4", count=5)
    with av.open(str(folder / "in.mp4")) as source, av.open("moving.png", "w", "apng") as container:
        stream = container.add_stream("apng", rate=25, width=160, height=128)
        stream.pix_fmt = "rgb24"
        for frame in source.decode(video=0):
            container.mux(stream.encode(frame.reformat(format="rgb24")))
        container.mux(stream.encode(None))
    assert run_command(["run", "identity.yaml", "moving.png", "-o", "out.mkv"]) == 0
    with av.open(str(folder / "out.mkv")) as container:
        assert len(list(container.decode(video=0))) == 5


def test_an_animated_webp_is_its_first_image_with_a_note(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    animation = cv2.Animation()
    animation.frames = [np.full((24, 32, 3), level, np.uint8) for level in (50, 200)]
    animation.durations = [100, 100]
    assert cv2.imwriteanimation("moving.webp", animation)
    assert run_command(["run", "identity.yaml", "moving.webp", "-o", "out.png"]) == 0
    assert "note: an animation: only its first image is read" in capfd.readouterr().err
    assert abs(int(pixels(folder / "out.png")[0, 0, 0]) - 50) <= 3


def test_times_choose_frames_of_each_clip_of_a_batch(folder: Path, write_clip: Any) -> None:
    for name, count in (("a", 8), ("b", 30)):
        write_clip(folder / "clips" / f"{name}.mp4", count=count)
    command = ["batch", "identity.yaml", "clips", "-o", "out", "--frames", "200ms:400ms"]
    assert run_command(command) == 0
    clips = json.loads((folder / "out" / "summary.json").read_text())["clips"]
    assert [clip["frames"] for clip in clips] == [3, 5]
