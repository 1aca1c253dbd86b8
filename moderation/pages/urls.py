"""Pages for those who propose; mounted at the root."""

from django.urls import path

from moderation.pages.my_changes import my_change, my_changes, resubmit, withdraw
from moderation.pages.sign_in import sign_in, sign_out

app_name = "moderation"
urlpatterns = [
    path("sign-in", sign_in, name="sign_in"),
    path("sign-out", sign_out, name="sign_out"),
    path("my-changes", my_changes, name="my_changes"),
    path("my-changes/<int:change_id>", my_change, name="my_change"),
    path("my-changes/<int:change_id>/withdraw", withdraw, name="withdraw"),
    path("my-changes/<int:change_id>/resubmit", resubmit, name="resubmit"),
]
