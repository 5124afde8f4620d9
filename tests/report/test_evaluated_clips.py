"""From clips to the page: what the evaluator finds is what the report shows."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.report.conftest import WriteClip
from tests.report.page_reader import PageReader
from vidstyle.evaluation.clip_evaluation import evaluate_clips
from vidstyle.evaluation.evaluators import farneback
from vidstyle.report.flicker_report import write_report
from vidstyle.report.score_table import format_score
from vidstyle.testing import pan


def test_a_flash_is_the_worst_frame_and_the_still_clip_the_best(
    tmp_path: Path, write_clip: WriteClip
) -> None:
    source = [0.8 * frame.host("source") for frame in pan(frames=12).frames]
    source = [np.rint(frame * 255).astype(np.float32) / 255 for frame in source]
    flash = [frame + (51 / 255 if at >= 7 else 0) for at, frame in enumerate(source)]
    stylized = {"still": source, "flash": flash}
    evaluations = evaluate_clips(source, stylized, farneback, evaluator="farneback")
    clips = {"source": write_clip("s.mkv", source)}
    clips |= {name: write_clip(f"{name}.mkv", frames) for name, frames in stylized.items()}

    write_report(tmp_path / "report.html", evaluations, clips, farneback, (0, None))

    text = (tmp_path / "report.html").read_text("utf-8")
    page = PageReader(text)
    assert "optical flow of <strong>farneback</strong>" in text
    flashing = text[text.index("<h3><bdi>flash</bdi></h3>") :]
    value = evaluations["flash"].series["e_warp"][7]
    assert value is not None
    start = f"Frames 6 and 7: <code>e_warp</code> {format_score(value)} "
    assert start in flashing[:200]
    row = text[text.index("<code>e_warp</code>") :].split("</tr>")[0]
    first, second = row.split("<td")[1:]
    assert "best" in first
    assert "best" not in second
    assert "e_warp" in page.text_of("code")
