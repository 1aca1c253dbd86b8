"""Reads pages: their text, links and elements, as far as tests ask for them."""

from html.parser import HTMLParser

from django.http import HttpResponse

VOID = frozenset({"meta", "link", "input", "img", "br", "hr", "wbr"})


class Page(HTMLParser):
    """A parsed page. `elements` are (tag, attributes) in order, `text` what a reader sees and hears."""

    def __init__(self, response: HttpResponse) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.pieces: list[str] = []
        self.open: list[str] = []
        self.feed(response.content.decode())
        self.close()
        assert self.open == [], f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open[-1] == tag, f"</{tag}> closes <{self.open[-1]}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.pieces.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.pieces).split())

    def all(self, tag: str, **attributes: str) -> list[dict[str, str | None]]:
        return [
            found
            for name, found in self.elements
            if name == tag and all(found.get(key) == value for key, value in attributes.items())
        ]

    @property
    def links(self) -> list[str]:
        return [link["href"] or "" for link in self.all("a") if "href" in link]

    def names_of_rows(self) -> list[str]:
        """The last parts of the addresses of the models in a list, in order."""
        return [link["href"].rpartition("/")[2] for link in self.all("a", **{"class": "row-link"})]
