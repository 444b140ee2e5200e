"""Reading a page as a strict reader would: every tag closed, and everything that a test asks about."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

BLOCKS = {"p", "div", "pre", "ul", "ol", "dl", "table", "figure", "section", "details", "h2", "h3"}
VOID = {"meta", "link", "br", "img", "input", "hr", "rect", "circle", "path", "line", "use"}


class Page(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.html, self.errors, self.open = html, [], []  # type: ignore[var-annotated]
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.headings: list[int] = []
        self.feed(html)
        self.close()
        self.errors += [f"<{tag}> is never closed" for tag in self.open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [k for k, _ in attrs]
        if len(names) != len(set(names)):
            self.errors.append(f"an attribute twice in <{tag}>")
        self.tags.append((tag, dict(attrs)))
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag in BLOCKS and "p" in self.open:
            self.errors.append(f"<{tag}> within a paragraph")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if not self.open or self.open[-1] != tag:
            self.errors.append(f"</{tag}> closes {self.open[-1:]}, at line {self.getpos()[0]}")
        else:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text.append(data)

    @property
    def words(self) -> str:
        return " ".join("".join(self.text).split())

    @property
    def ids(self) -> list[str]:
        return [a["id"] or "" for _, a in self.tags if "id" in a]

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [a for t, a in self.tags if t == tag]


def faults(html: str) -> list[str]:
    """Everything that makes a page unsafe, broken or hard to use; empty for a good one."""
    page = Page(html)
    found = list(page.errors)
    ids = page.ids
    found += [f"id {i!r} twice" for i in set(ids) if ids.count(i) > 1]
    for tag, attrs in page.tags:
        if tag in ("script", "iframe", "object", "embed", "form", "link", "base"):
            found.append(f"<{tag}> in the page")
        for name, value in attrs.items():
            if name.startswith("on") or name == "style":
                found.append(f"{name}= on <{tag}>")
            if name in ("src", "href", "data", "action", "poster", "srcset", "xlink:href"):
                if re.match(r"\s*(?!data:image/png)[a-z][a-z0-9+.-]*:|//", value or "", re.IGNORECASE):
                    found.append(f"{name}={value!r} leaves the page")
                if (value or "").startswith("#") and value[1:] not in ids:  # type: ignore[index]
                    found.append(f"{value!r} leads nowhere")
            if name in ("aria-labelledby", "for") and value not in ids:
                found.append(f"{name}={value!r} leads nowhere")
        if tag == "img" and not attrs.get("alt"):
            found.append("an image without a text")
        if tag == "th" and attrs.get("scope") not in ("col", "row"):
            found.append("a heading of a table without its scope")
    if page.headings[:1] != [1] or page.headings.count(1) != 1:
        found.append("not one first heading")
    found += [f"h{b} after h{a}" for a, b in zip(page.headings, page.headings[1:], strict=False) if b > a + 1]
    policy = next(a["content"] or "" for a in page.all("meta") if a.get("http-equiv"))
    style = re.search(r"<style>(.*?)</style>", html, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style.group(1).encode()).digest()).decode()
    if "default-src 'none'" not in policy or f"style-src 'sha256-{digest}'" not in policy:
        found.append("the policy does not fit the page")
    if "script-src" in policy or "unsafe" in policy or re.search(r"url\(|@import", style.group(1)):
        found.append("the policy or the style opens a door")
    if page.all("html")[0].get("lang") != "en" or not page.all("main") or not page.all("title"):
        found.append("no language, main part or title")
    return found
