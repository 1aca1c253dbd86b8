import pytest
from tests.references.api import ask, V2, V1
from config.wsgi import application, django_application
pytestmark = pytest.mark.django_db

def test_probe(real_reference):
    for h in ({}, {"Accept-Encoding": "gzip"}, {"If-None-Match": "*"}):
        for path in (V2 + "/clip", V1+"/clip.json", V2+"/lora", V1+"/lora"):
            a = ask(path, headers=h, application=application)
            b = ask(path, headers=h, application=django_application)
            print(path, h, a.status, b.status, a.body == b.body)
            print("  hot-only", {k: v for k, v in a.headers.items() if b.headers.get(k) != v})
            print("  django-only", {k: v for k, v in b.headers.items() if a.headers.get(k) != v})
