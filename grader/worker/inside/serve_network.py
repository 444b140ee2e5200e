"""URLs: answered from the bundle, or refused at once, by urllib and by requests."""

from __future__ import annotations

import email.message
import os
import urllib.error
import urllib.request
import urllib.response
from typing import Any
from urllib.parse import urlsplit

from . import serve_catalog as catalog
from . import serve_hooks

LOCAL = {"localhost", "127.0.0.1", "::1", "0.0.0.0"}


def install() -> None:
    """`OpenerDirector.open` is what every name for urlopen and urlretrieve comes down to, however and
    whenever it was imported."""
    original = urllib.request.OpenerDirector.open

    def opened(self: Any, fullurl: Any, *arguments: Any, **options: Any) -> Any:
        url = fullurl if isinstance(fullurl, str) else fullurl.full_url
        if not _remote(url):
            return original(self, fullurl, *arguments, **options)
        offer = catalog.find(url)
        if offer is None:
            catalog.refused(url)
            raise urllib.error.URLError(f"{url}: {catalog.NO_NETWORK}")
        catalog.given(offer, url)
        headers = email.message.Message()
        size = os.path.getsize(offer.path)
        headers["Content-Length"] = str(size)
        headers["Content-Type"] = "application/octet-stream"
        response = urllib.response.addinfourl(open(offer.path, "rb"), headers, url, 200)  # noqa: SIM115
        response.length = size  # type: ignore[attr-defined]
        response.msg = response.reason = "OK"  # type: ignore[attr-defined]
        return response

    urllib.request.OpenerDirector.open = opened  # type: ignore[method-assign]
    serve_hooks.when_imported("requests.adapters", _requests)


def _remote(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in {"http", "https", "ftp"} and (parts.hostname or "") not in LOCAL


def _requests(adapters: Any) -> None:
    original = adapters.HTTPAdapter.send

    def send(self: Any, request: Any, *arguments: Any, **options: Any) -> Any:
        if not _remote(request.url):
            return original(self, request, *arguments, **options)
        offer = catalog.find(request.url)
        if offer is None:
            import requests

            catalog.refused(request.url)
            raise requests.exceptions.ConnectionError(f"{request.url}: {catalog.NO_NETWORK}", request=request)
        from urllib3.response import HTTPResponse

        catalog.given(offer, request.url)
        raw = HTTPResponse(
            body=open(offer.path, "rb"),  # noqa: SIM115
            headers={"Content-Length": str(os.path.getsize(offer.path))},
            status=200,
            reason="OK",
            preload_content=False,
        )
        return self.build_response(request, raw)

    adapters.HTTPAdapter.send = send
