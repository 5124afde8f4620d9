"""Opening files: what is taken, what is refused, and which stream is chosen."""

from __future__ import annotations

import os
import socket
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition

from vidstyle.core.errors import InputError
from vidstyle.media.container import choose_video, open_input, other_streams, video_streams

Size = tuple[int, int]


def write(path: Path, *sizes: Size, sound: bool = False, default: int | None = None) -> Path:
    """A file with one video stream of 4 frames for each size, and perhaps a sound stream."""
    with av.open(path, "w") as container:
        streams = []
        for index, (width, height) in enumerate(sizes):
            stream = container.add_stream("mpeg4", rate=25)
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            if default is not None:
                flag = Disposition.default if index == default else Disposition.comment
                stream.disposition = flag
            streams.append(stream)
        audio = container.add_stream("aac", rate=44100, layout="mono") if sound else None
        if audio is not None:
            audio.metadata["language"] = "fra"
        for stream in streams:
            for _ in range(4):
                black = av.VideoFrame(stream.width, stream.height, "yuv420p")
                container.mux(stream.encode(black))
            container.mux(stream.encode(None))
        if audio is not None:
            silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
            silence.sample_rate = 44100
            container.mux(audio.encode(silence))
            container.mux(audio.encode(None))
    return path


def write_with_cover(path: Path, video: Size | None) -> Path:
    """A file whose largest image is its cover."""
    with av.open(path, "w") as container:
        stream = None
        if video:
            stream = container.add_stream("mpeg4", rate=25)
            stream.width, stream.height = video
        else:
            stream = container.add_stream("aac", rate=44100, layout="mono")
        cover = container.add_stream("mjpeg", rate=25)
        cover.width, cover.height, cover.pix_fmt = 320, 240, "yuvj420p"
        cover.disposition = Disposition.attached_pic
        if video:
            container.mux(stream.encode(av.VideoFrame(*video, "yuv420p")))
        else:
            silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
            silence.sample_rate = 44100
            container.mux(stream.encode(silence))
        container.mux(stream.encode(None))
        for packet in cover.encode(av.VideoFrame(320, 240, "yuvj420p")) + cover.encode(None):
            packet.stream = cover
            container.mux(packet)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        open_input(path).close()
    text = str(caught.value)
    assert "\n" not in text
    assert str(path) in text
    return text


def test_a_video_opens_whatever_its_name(tmp_path):
    written = write(tmp_path / "clip.mp4", (64, 48))
    renamed = written.rename(tmp_path / "concat:a%03d b.txt")
    with open_input(renamed) as container:
        assert choose_video(container).codec_context.width == 64


def test_a_relative_path_that_looks_like_a_protocol_is_a_file(tmp_path, monkeypatch):
    write(tmp_path / "clip.mp4", (64, 48)).rename(tmp_path / "pipe:0.mp4")
    monkeypatch.chdir(tmp_path)
    with open_input(Path("pipe:0.mp4")) as container:
        assert len(container.streams.video) == 1


def test_a_missing_file_is_named(tmp_path):
    assert "no such file" in refusal(tmp_path / "absent.mp4")


def test_an_address_is_no_file():
    assert "no such file" in refusal(Path("http://127.0.0.1:9/clip.mp4"))


def test_a_folder_is_refused_with_a_way_out(tmp_path):
    assert "decode/images" in refusal(tmp_path)


def test_an_empty_file_is_refused(tmp_path):
    (tmp_path / "empty.mp4").touch()
    assert "empty" in refusal(tmp_path / "empty.mp4")


def test_text_is_not_a_video(tmp_path):
    path = tmp_path / "text.mp4"
    path.write_text("not a video\n" * 500)
    assert "not a video" in refusal(path)


def test_half_a_header_is_not_a_video(tmp_path):
    whole = write(tmp_path / "clip.mp4", (64, 48))
    path = tmp_path / "half.mp4"
    path.write_bytes(whole.read_bytes()[:100])
    assert "not a video" in refusal(path)


def test_a_single_image_is_refused(tmp_path):
    path = tmp_path / "image.mp4"
    with av.open(tmp_path / "image.png", "w", format="image2") as container:
        stream = container.add_stream("png", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "rgb24"
        container.mux(stream.encode(av.VideoFrame(64, 48, "rgb24")))
    (tmp_path / "image.png").rename(path)
    assert "decode/images" in refusal(path)


def test_a_pipe_is_refused_without_waiting_for_it(tmp_path):
    os.mkfifo(tmp_path / "pipe.mp4")
    assert "not a regular file" in refusal(tmp_path / "pipe.mp4")


def test_a_device_is_refused():
    assert "not a regular file" in refusal(Path(os.devnull))


def test_a_dangling_link_is_a_missing_file(tmp_path):
    (tmp_path / "link.mp4").symlink_to(tmp_path / "nowhere.mp4")
    assert "no such file" in refusal(tmp_path / "link.mp4")


def test_a_file_that_may_not_be_read_is_refused(tmp_path, monkeypatch):
    path = write(tmp_path / "clip.mp4", (64, 48))

    def forbidden(*_args, **_keywords):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", forbidden)
    assert "Permission denied" in refusal(path)


PLAYLISTS = {
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{target}\n#EXT-X-ENDLIST\n",
    "hls after spaces": "\n\n  #EXTM3U\n#EXTINF:9,\n{target}\n",
    "hls after a byte order mark": "\ufeff#EXTM3U\n#EXTINF:9,\n{target}\n",
    "concat": "ffconcat version 1.0\nfile '{target}'\n",
    "dash": '<?xml version="1.0"?><MPD><BaseURL>{target}</BaseURL></MPD>',
    "bare dash": '<MPD profiles="urn:mpeg:dash"><BaseURL>{target}</BaseURL></MPD>',
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 5000 RTP/AVP 96\n",
    "pls": "[playlist]\nFile1={target}\n",
    "asx": "[Reference]\nRef1={target}\n",
}


@pytest.mark.parametrize("name", PLAYLISTS)
@pytest.mark.parametrize("suffix", ["mp4", "m3u8"])
def test_a_playlist_is_refused_whatever_its_name(tmp_path, name, suffix):
    target = write(tmp_path / "target.mp4", (64, 48))
    path = tmp_path / f"list.{suffix}"
    path.write_text(PLAYLISTS[name].format(target=target))
    assert "names other files" in refusal(path)


def test_a_playlist_never_reaches_the_network(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        address = f"http://127.0.0.1:{server.getsockname()[1]}/segment.ts"
        path = tmp_path / "list.mp4"
        # Not at the start, where it would be recognized by its first line.
        path.write_text(f"# a remark\n#EXTM3U\n#EXTINF:9,\n{address}\n")
        refusal(path)
        with pytest.raises(TimeoutError):
            server.accept()


def test_no_decoder_that_is_tried_makes_a_larger_frame_than_allowed(tmp_path):
    # FFmpeg decodes a frame to learn more of the stream, and forgets a size that it refuses.
    path = tmp_path / "clip.mkv"
    with av.open(path, "w") as container:
        stream = container.add_stream("ffv1", rate=25, width=64, height=48, pix_fmt="yuv420p")
        container.mux(stream.encode(av.VideoFrame(64, 48, "yuv420p")))
        container.mux(stream.encode(None))
    for pixels, width in ((64 * 48, 64), (64 * 48 - 1, 0)):
        with open_input(path, max_pixels=pixels) as container:
            assert choose_video(container).codec_context.width == width


def test_the_largest_video_is_chosen_among_equals(tmp_path):
    path = write(tmp_path / "two.mkv", (64, 48), (128, 96), (96, 64))
    with open_input(path) as container:
        assert choose_video(container).index == 1
        assert len(video_streams(container)) == 3


def test_the_default_video_is_chosen_before_a_larger_one(tmp_path):
    path = write(tmp_path / "two.mkv", (64, 48), (128, 96), default=0)
    with open_input(path) as container:
        assert choose_video(container).index == 0


def test_a_cover_image_is_never_chosen(tmp_path):
    path = write_with_cover(tmp_path / "cover.mp4", (64, 48))
    with open_input(path) as container:
        assert choose_video(container).codec_context.name == "mpeg4"
        assert len(video_streams(container)) == 1


def test_sound_with_a_cover_has_no_video(tmp_path):
    path = write_with_cover(tmp_path / "song.mp4", None)
    with (
        open_input(path) as container,
        pytest.raises(InputError, match=r"it has: audio \(aac\), cover image \(mjpeg\)"),
    ):
        choose_video(container)


def test_sound_alone_is_refused_by_what_it_has(tmp_path):
    path = write(tmp_path / "sound.m4a", sound=True)
    with (
        open_input(path) as container,
        pytest.raises(InputError, match=r"no video stream; it has: audio \(aac\)"),
    ):
        choose_video(container)


def test_other_streams_are_listed_in_file_order(tmp_path):
    path = write(tmp_path / "clip.mkv", (64, 48), (128, 96), sound=True)
    with open_input(path) as container:
        others = other_streams(container, choose_video(container))
    assert [(other.index, other.kind, other.codec) for other in others] == [
        (0, "video", "mpeg4"),
        (2, "audio", "aac"),
    ]
    assert others[1].language in ("fre", "fra")


def test_metadata_that_is_not_unicode_does_not_stop_a_run(tmp_path):
    path = tmp_path / "titled.avi"
    with av.open(path, "w") as container:
        container.metadata["title"] = "caf\u00e9"
        stream = container.add_stream("mpeg4", rate=Fraction(25))
        stream.width, stream.height = 64, 48
        container.mux(stream.encode(av.VideoFrame(64, 48, "yuv420p")))
        container.mux(stream.encode(None))
    path.write_bytes(path.read_bytes().replace("caf\u00e9".encode(), b"caf\xe9\xff"))
    with open_input(path) as container:
        assert choose_video(container).index == 0
