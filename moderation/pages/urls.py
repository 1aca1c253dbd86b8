"""Pages for those who propose; mounted at the root."""

from django.urls import path

import references.pages.urls  # noqa: F401 - registers the converter of model names
from moderation.pages.my_changes import comment, my_change, my_changes, resubmit, withdraw
from moderation.pages.propose import propose_edit, propose_new
from moderation.pages.propose_delete import propose_bulk, propose_delete
from moderation.pages.sign_in import sign_in, sign_out

app_name = "moderation"
urlpatterns = [
    path("sign-in", sign_in, name="sign_in"),
    path("sign-out", sign_out, name="sign_out"),
    path("my-changes", my_changes, name="my_changes"),
    path("my-changes/<int:change_id>", my_change, name="my_change"),
    path("my-changes/<int:change_id>/withdraw", withdraw, name="withdraw"),
    path("my-changes/<int:change_id>/comment", comment, name="comment"),
    path("my-changes/<int:change_id>/resubmit", resubmit, name="resubmit"),
    path("propose/<str:category>", propose_new, name="propose"),
    path("propose/<str:category>/bulk", propose_bulk, name="propose_bulk"),
    path("propose/<str:category>/edit/<model_name:name>", propose_edit, name="propose_edit"),
    path("propose/<str:category>/delete/<model_name:name>", propose_delete, name="propose_delete"),
]
