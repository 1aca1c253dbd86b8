from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from django.db import connections

from references.thread_store import thread_store


def test_a_thread_keeps_the_connection_that_django_has_for_it():
    assert thread_store() is connections["default"]
    assert thread_store() is thread_store()


def test_each_thread_has_a_connection_of_its_own():
    both = Barrier(2)

    def asked() -> tuple[object, object]:
        both.wait(5)
        return thread_store(), connections["default"]

    with ThreadPoolExecutor(2) as pool:
        found = [waiting.result() for waiting in [pool.submit(asked) for _ in range(2)]]
    assert all(held is own for held, own in found)
    assert len({id(held) for held, _ in found} | {id(thread_store())}) == 3
