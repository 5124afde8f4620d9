"""What the tab that is being drawn has: its desk, and the page's lists."""

from __future__ import annotations

from streamlit.runtime.scriptrunner import get_script_run_ctx

from vidstyle.app.desk import Desk
from vidstyle.app.studio import current


def desk() -> Desk:
    """The desk of this tab."""
    context = get_script_run_ctx()
    assert context is not None  # only Streamlit draws the page
    return current().desk(context.session_id)
