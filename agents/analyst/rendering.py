"""A Vega-Lite spec as SVG, PNG and a page that works offline; Chinese text has its font with it."""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from math import ceil
from pathlib import Path
from typing import Any

from agents.analyst import renderer
from agents.pages import fonts
from agents.runtime.errors import ToolError

# What a drawing of thousands of points takes on a busy machine, and less than a tool's call may.
LIMIT_S = 50.0
_TOLD = ("HOME", "LD_LIBRARY_PATH", "PATH", "TMPDIR")
_DRAW = "vegaEmbed('#vega-chart', spec, "


def validate(spec: Mapping[str, Any]) -> None:
    """Raise ToolError when the spec is not valid Vega-Lite, by altair's copy of the schema."""
    import altair

    try:
        altair.Chart.from_dict(dict(spec), validate=True)
    except Exception as error:
        reason = " ".join(str(error).split())[:600]
        raise ToolError(f"the chart is not valid Vega-Lite: {reason}") from error


def svg(spec: Mapping[str, Any], limit_s: float = LIMIT_S) -> str:
    """The chart as SVG text. Raises ToolError when it cannot be drawn, or not within the limit."""
    return _RENDERER.draw("svg", spec, limit_s).decode()


def png(spec: Mapping[str, Any], limit_s: float = LIMIT_S) -> bytes:
    """The chart as PNG at twice its size in pixels; raises as `svg` does."""
    return _RENDERER.draw("png", spec, limit_s)


def html(spec: Mapping[str, Any], font_face: str, limit_s: float = LIMIT_S) -> str:
    """The chart as one page with Vega inside, about 0.9 MB; raises as `svg` does. Vega measures its text
    while it draws, so it must not begin before the page's own font is there.
    """
    page = _RENDERER.draw("html", spec, limit_s).decode()
    if font_face:
        ready = f"document.fonts.load('12px \"{fonts.FAMILY}\"')"
        page = page.replace(f"{_DRAW}opts)", f"{ready}.then(() => {_DRAW}opts))", 1)
    return fonts.into_page(page, font_face)


class _Renderer:
    """The process that draws, one drawing at a time; started when it is needed, and again once ended."""

    def __init__(self) -> None:
        self._forget()
        os.register_at_fork(after_in_child=self._forget)
        atexit.register(self._end)

    def _forget(self) -> None:
        """A forked child draws in a process of its own, and holds no end of its parent's."""
        process = getattr(self, "_process", None)
        if process is not None:
            process.stdin.close()
            process.stdout.close()
            # It is no child of this process, which must not wait for it.
            process.returncode = 0
        self._turn = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def draw(self, what: str, spec: Mapping[str, Any], limit_s: float) -> bytes:
        until = time.monotonic() + limit_s
        late = f"the chart cannot be drawn: it took longer than {limit_s:.3g} s"
        if not self._turn.acquire(timeout=limit_s):
            raise ToolError(f"{late}, for another was being drawn")
        try:
            process = self._process = self._started()
            watch = threading.Timer(max(0.0, until - time.monotonic()), process.kill)
            watch.daemon = True
            watch.start()
            try:
                drawn, fault = _asked(process, what, spec, limit_s)
            except BaseException as error:
                self._end()
                if not isinstance(error, OSError | ValueError):
                    raise
                ended = late if time.monotonic() >= until else "the chart cannot be drawn: its renderer ended"
                raise ToolError(f"{ended}; draw less in it") from error
            finally:
                watch.cancel()
        finally:
            self._turn.release()
        if fault:
            raise ToolError(f"the chart cannot be drawn: {fault}")
        return drawn

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self._end()
        # Isolated: a chart needs neither our modules nor most of the environment, such as keys.
        command = [sys.executable, "-I", str(Path(renderer.__file__))]
        told = {name: os.environ[name] for name in _TOLD if name in os.environ}
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=told)

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            with suppress(OSError), process:
                pass


def _asked(
    process: subprocess.Popen[bytes], what: str, spec: Mapping[str, Any], limit_s: float
) -> tuple[bytes, str]:
    """What was drawn, or why not. Raises OSError or ValueError when the process ends meanwhile."""
    assert process.stdin is not None
    assert process.stdout is not None
    request = {
        "what": what,
        "spec": json.dumps(spec),
        "fonts": str(fonts.folder() or ""),
        "limit_s": ceil(limit_s) + 1,
    }
    process.stdin.write(json.dumps(request).encode() + b"\n")
    process.stdin.flush()
    said = json.loads(process.stdout.readline())
    drawn = process.stdout.read(said["bytes"])
    if len(drawn) < said["bytes"]:
        raise OSError("the renderer ended")
    return drawn, said["fault"]


_RENDERER = _Renderer()
