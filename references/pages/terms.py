"""The little language of the search box: words that must all occur, and `field:value`. Pure."""

import re
from collections.abc import Container
from dataclasses import dataclass

LONGEST_QUERY = 200
MOST_TERMS = 12

_TERM = re.compile(r'(?:(?P<field>[a-z_]+):)?(?:"(?P<quoted>[^"]*)"?|(?P<plain>\S+))', re.IGNORECASE)
_VALUE = re.compile(r"[\w<>=.+-]+\Z")
_AMOUNT = re.compile(r"(?P<sign>[<>]=?|=)?(?P<number>\d+(?:\.\d+)?)(?P<unit>[kmgtbp]?)b?\Z", re.IGNORECASE)
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "b": 10**9, "t": 10**12, "p": 10**15}


@dataclass(frozen=True, slots=True)
class Term:
    """One condition: `value`, in lower case, occurs in the field, or anywhere where no field is named."""

    field: str
    value: str


@dataclass(frozen=True, slots=True)
class Amount:
    """A bound on a number, such as `>=70B` or `<2GB`; without a sign, at least."""

    sign: str
    number: float

    def holds(self, value: float) -> bool:
        match self.sign:
            case "<":
                return value < self.number
            case "<=":
                return value <= self.number
            case ">":
                return value > self.number
            case "=":
                return value == self.number
            case _:
                return value >= self.number


def terms_parse(query: str, fields: Container[str]) -> tuple[Term, ...]:
    """The conditions of a query. A prefix that names no field belongs to the word: `http://…` is text."""
    terms = []
    for match in _TERM.finditer(query[:LONGEST_QUERY]):
        field = (match["field"] or "").lower()
        value = match["plain"] if match["quoted"] is None else match["quoted"]
        if field and field not in fields:
            field, value = "", match[0].replace('"', "")
        if value.strip():
            terms.append(Term(field, value.strip().lower()))
    return tuple(dict.fromkeys(terms))[:MOST_TERMS]


def unknown_fields(query: str, fields: Container[str]) -> tuple[str, ...]:
    """What stands before a colon and a value as if it were a field, and is none; addresses are text on purpose."""
    asked = (
        match["field"].lower()
        for match in _TERM.finditer(query[:LONGEST_QUERY])
        if match["field"] and (match["plain"] is None or _VALUE.match(match["plain"]))
    )
    return tuple(dict.fromkeys(field for field in asked if field not in fields))[:MOST_TERMS]


def amount_parse(value: str) -> Amount | None:
    """A bound, or None for text that is none."""
    match = _AMOUNT.match(value)
    return match and Amount(match["sign"] or ">=", float(match["number"]) * _UNITS[match["unit"].lower()])
