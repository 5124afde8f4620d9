"""``python -m vidstyle.app.worker``: does one task in a process that can be killed.

The first line of standard input is the task, as JSON; standard output has the news, a line each.
The process ends when standard input does: nobody is left to work for.
"""

from __future__ import annotations

import os
import sys
import threading
import traceback
from typing import TextIO

from vidstyle.app.news import NEWS, Failed, News, Tell
from vidstyle.app.tasks import TASK, ClipTask, FlickerTask, ImageTask, PreviewTask, Task
from vidstyle.core.errors import DeviceError, VidstyleError, is_out_of_memory


def main() -> int:
    """Do the task; the exit code is that of the command line."""
    task = TASK.validate_json(sys.stdin.readline())
    threading.Thread(target=_leave_with, args=(sys.stdin,), daemon=True).start()
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as news:
        # Whatever a library prints, of Python or of C, is no news.
        os.dup2(2, 1)
        return _done(task, lambda item: _write(news, item))


def _done(task: Task, tell: Tell) -> int:
    try:
        _work(task, tell)
    except Exception as error:
        if os.environ.get("VIDSTYLE_DEBUG"):
            traceback.print_exc()
        tell(Failed(text=_words(error)))
        return _code(error)
    return 0


def _work(task: Task, tell: Tell) -> None:
    # Imported where needed: a clip is painted without torch, and it takes seconds.
    match task:
        case ImageTask():
            from vidstyle.app.image_work import stylize_image

            stylize_image(task, tell)
        case PreviewTask():
            from vidstyle.app.preview_work import preview_frames

            preview_frames(task, tell)
        case ClipTask():
            from vidstyle.app.clip_work import stylize_clip

            stylize_clip(task, tell)
        case FlickerTask():
            from vidstyle.app.flicker_work import evaluate_flicker

            evaluate_flicker(task, tell)


def _code(error: Exception) -> int:
    if isinstance(error, VidstyleError):
        return error.exit_code
    return DeviceError.exit_code if is_out_of_memory(error) else VidstyleError.exit_code


def _words(error: Exception) -> str:
    said = " ".join(str(error).split())
    if isinstance(error, VidstyleError):
        return said
    if is_out_of_memory(error):
        return "out of memory: choose a smaller image or clip"
    return (
        f"this is a bug in vidstyle: {type(error).__name__}: {said};"
        " start the page by `vidstyle --debug app` and report what it shows"
    )


def _write(news: TextIO, item: News) -> None:
    news.write(NEWS.dump_json(item).decode() + "\n")
    news.flush()


def _leave_with(stream: TextIO) -> None:
    while stream.readline():
        pass
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
