"""Forms made from the record types: which fields a category has, how values are written, and what was typed."""
