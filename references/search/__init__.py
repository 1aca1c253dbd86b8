"""Searching records. Pure functions over plain data."""

from references.search.index import SearchIndex
from references.search.queries import DEFAULT_LIMIT, DEFAULT_SOURCE, SearchError, SearchPage, SearchQuery
from references.search.searching import search_all, search_category
from references.search.values import RecordReader, value_at

__all__ = [
    "DEFAULT_LIMIT",
    "DEFAULT_SOURCE",
    "RecordReader",
    "SearchError",
    "SearchIndex",
    "SearchPage",
    "SearchQuery",
    "search_all",
    "search_category",
    "value_at",
]
