"""try"""
from unittest.mock import patch
import pytest, schemathesis
from hypothesis import settings, HealthCheck, strategies as st
from django.db.backends.base.base import BaseDatabaseWrapper
from config.wsgi import application
from tests.moderation.api.conftest import people, queue  # noqa
config = schemathesis.Config()
config.projects.default.phases.coverage.enabled = False
schema = schemathesis.openapi.from_wsgi("/api/openapi.json", application, config=config)
pytestmark=[pytest.mark.django_db, pytest.mark.usefixtures("people", "queue")]
from schemathesis.checks import not_a_server_error
from schemathesis.openapi.checks import *
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance, content_type_conformance, response_headers_conformance, negative_data_rejection, positive_data_acceptance
@schema.given(key=st.sampled_from(["key-requestor","key-approver"]))
@schema.parametrize()
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
def test_api(case, key):
    with patch.object(BaseDatabaseWrapper, "close_if_unusable_or_obsolete"):
        r = case.call(headers={"apikey": key})
    case.validate_response(r, checks=[not_a_server_error, response_schema_conformance, status_code_conformance, content_type_conformance, response_headers_conformance])
