"""Keeps the store of a REPLICA in step with a PRIMARY, over the API that every client reads."""
