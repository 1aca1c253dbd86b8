# counts what the property test does
import collections, pytest
from tests.moderation import test_replay as t
from rest_framework.exceptions import APIException
counts=collections.Counter()
orig=t.Queue.take
def take(self, kind, number):
    try:
        orig(self, kind, number); counts[kind,'ok']+=1
    except APIException as e:
        counts[kind,type(e).__name__]+=1; raise
t.Queue.take=take
test_x=pytest.mark.django_db(t.test_whatever_is_done_the_log_tells_what_is_stored)
def test_zz():
    for k,v in sorted(counts.items()): print(k,v)
