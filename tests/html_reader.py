"""Reads the HTML report back with a parser, as strictly as a browser is lenient."""

from __future__ import annotations

import re
from html.parser import HTMLParser

VOID = {"meta", "input", "img", "path"}
OPTIONAL_END = {"td", "th", "tr"}
TAGS = re.findall(
    r"\w+",
    """html head meta title style body header main footer h1 h2 h3 p span ul li b i a form label input div
    table thead tbody tr th td small details summary dl dt dd code figure figcaption svg text path rect
    img""",
)
ATTRIBUTES = set(
    re.findall(
        r"[\w-]+",
        """lang charset http-equiv content name class id type checked href open viewbox role aria-label
        x y width height d stroke-width text-anchor src alt style""",
    )
)


class Page(HTMLParser):
    """What the page says: per property id the verdict and the outcome, in the table and in the sections."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.rows: dict[str, tuple[str, str]] = {}
        self.sections: dict[str, tuple[str, str]] = {}
        self.addresses: list[str] = []
        self.anchors: set[str] = set()
        self.styles: list[str] = []
        self._parts: list[str] = []
        self._open: list[str] = []
        self._outcome = ""
        self._verdict = ""
        self._identifier = ""
        self._reading = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS, tag
        values = {name: value or "" for name, value in attributes}
        assert len(values) == len(attributes)
        assert set(values) <= ATTRIBUTES, values
        self.addresses += [values[name] for name in ("href", "src") if name in values]
        if "id" in values:
            assert values["id"] not in self.anchors
            self.anchors.add(values["id"])
        if "style" in values:
            self.styles.append(values["style"])
        if tag in OPTIONAL_END:
            while self._open[-1] in OPTIONAL_END and not (tag != "tr" and self._open[-1] == "tr"):
                self._open.pop()
        if tag not in VOID:
            self._open.append(tag)
        kinds = values.get("class", "").split()
        if (tag == "tr" and kinds) or "p" in kinds:
            self._outcome, self._verdict, self._identifier = kinds[-1], "", ""
        self._reading = "verdict" if "v" in kinds else "identifier" if "id" in kinds else self._reading

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        assert tag in VOID
        self.handle_starttag(tag, attributes)

    def handle_endtag(self, tag: str) -> None:
        while self._open[-1] in OPTIONAL_END and self._open[-1] != tag:
            self._open.pop()
        assert self._open.pop() == tag
        if tag == "summary" and self._outcome:
            self.sections[self._identifier] = (self._verdict, self._outcome)
        if tag == "a" and self._reading == "identifier" and self._outcome:
            self.rows[self._identifier] = (self._verdict, self._outcome)
        if tag in ("a", "span") and tag != "small":
            self._reading = ""
        if tag in ("summary", "table"):
            self._outcome = ""

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "style":
            self.styles.append(data)
            return
        self._parts.append(data)
        if self._reading == "verdict":
            self._verdict += data
        elif self._reading == "identifier":
            self._identifier += data

    @property
    def text(self) -> str:
        return "".join(self._parts)


def read_page(text: str) -> Page:
    """The page. AssertionError where it holds an element that no report writes, or one that is not closed."""
    page = Page()
    page.feed(text)
    page.close()
    assert page._open == []
    return page
