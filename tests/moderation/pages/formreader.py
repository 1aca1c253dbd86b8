"""Reads what a browser without script would send from a form, so that tests can type into it and submit it."""

from html.parser import HTMLParser

from django.http import HttpResponse


class FormReader(HTMLParser):
    """The controls of the form with this id, as `values` by name; `lists` holds names that are given twice."""

    def __init__(self, response: HttpResponse, form_id: str = "proposal") -> None:
        super().__init__(convert_charrefs=True)
        self.form_id = form_id
        self.values: dict[str, str] = {}
        self.buttons: list[tuple[str | None, str | None]] = []
        self.inside = self.is_inert = False
        self.area: str | None = None
        self.select: str | None = None
        self.shown = False
        self.feed(response.content.decode())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "form":
            self.inside = found.get("id") == self.form_id
        if tag == "template":
            self.is_inert = True
        if not self.inside or self.is_inert:
            return
        name = found.get("name")
        if tag == "button":
            self.buttons.append((name, found.get("value")))
        elif tag == "textarea" and name:
            self.area = name
            self.values[name] = ""
        elif tag == "select" and name:
            self.select = name
            self.values[name] = ""
        elif tag == "option" and self.select and "selected" in found:
            # Without a value, what is shown is sent.
            self.shown = "value" not in found
            self.values[self.select] = found.get("value") or ""
        elif tag == "input" and name and found.get("type") != "checkbox":
            self.values[name] = found.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.inside = False
        elif tag == "template":
            self.is_inert = False
        elif tag == "option":
            self.shown = False
        elif tag == "select":
            self.select = None
        elif tag == "textarea" and self.area:
            # Browsers drop the line end that the area begins with, and send the others as two characters.
            self.values[self.area] = self.values[self.area].removeprefix("\n").replace("\n", "\r\n")
            self.area = None

    def handle_data(self, data: str) -> None:
        if self.area:
            self.values[self.area] += data
        elif self.select and self.shown:
            self.values[self.select] += data

    def typed(self, **fields: str) -> dict[str, str]:
        """What is sent after these record fields were typed; dots of a path are written as two underscores."""
        unknown = {name for name in fields if f"r.{path(name)}" not in self.values}
        assert not unknown, f"the form has no {unknown}"
        return {**self.values, **{f"r.{path(name)}": text for name, text in fields.items()}}


def path(name: str) -> str:
    return name.replace("__", ".")
