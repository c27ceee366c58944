"""The files that the pages load: styles, scripts, the icon.

The version of all of them stands in their address, so that scripts that import each other stay together and are kept for good.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from fluster.errors import NotFoundError

__all__ = ["StaticFiles"]

_HERE: Final = Path(__file__).parent / "static"
_KINDS: Final = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


class StaticFiles:
    def __init__(self) -> None:
        self._paths = {path.name: path for path in sorted(_HERE.iterdir()) if path.is_file()}
        self.version = hashlib.sha256(b"".join(path.read_bytes() for path in self._paths.values())).hexdigest()[:12]

    async def show(self, request: Request) -> Response:
        path = self._paths.get(request.path_params["name"])
        if path is None:
            raise NotFoundError("there is no such file")
        current = request.path_params["version"] == self.version
        cache = "public, max-age=31536000, immutable" if current else "no-cache"
        kind = _KINDS.get(path.suffix, "application/octet-stream")
        return FileResponse(path, media_type=kind, headers={"Cache-Control": cache})
