"""The process that draws charts: one request a line on its input, one answer on its output, until that ends.

It is a script and imports nothing of ours, so that it starts at once. Its own process, because the renderer
lets no other Python run while it draws: in ours, a drawing that hangs would hold every run and its deadline.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import Any


def main() -> None:
    """Draw until the input ends. A request is JSON: `what` (svg, png, html), `spec`, `fonts` (a folder),
    `limit_s`.
    """
    # Ctrl-C is for who asked, and ends the input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What a library prints is no answer.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    import vl_convert

    known = ""
    for line in sys.stdin.buffer:
        request = json.loads(line)
        # Should who asked be gone, nobody else ends a drawing that hangs.
        signal.alarm(request["limit_s"])
        if request["fonts"] and request["fonts"] != known:
            known = request["fonts"]
            vl_convert.register_font_directory(known)
        try:
            drawn, fault = _drawn(vl_convert, request["what"], request["spec"]), ""
        except ValueError as error:
            drawn, fault = b"", str(error)
        answers.write(json.dumps({"bytes": len(drawn), "fault": fault}).encode() + b"\n" + drawn)
        answers.flush()
        signal.alarm(0)


def _drawn(converter: Any, what: str, spec: str) -> bytes:
    if what == "html":
        return str(converter.vegalite_to_html(spec, bundle=True)).encode()
    if what == "png":
        return bytes(converter.vegalite_to_png(spec, scale=2, allowed_base_urls=[]))
    return str(converter.vegalite_to_svg(spec, allowed_base_urls=[])).encode()


if __name__ == "__main__":
    main()
