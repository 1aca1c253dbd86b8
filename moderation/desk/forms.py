"""What approvers fill in at the desk."""

import time
from datetime import UTC, datetime

from django import forms
from django.http import QueryDict

from moderation.models import Batch, SavedReason
from moderation.services.remarks import LONGEST_COMMENT, LONGEST_REASON

APPROVE, REJECT = "approve", "reject"
_TITLE = Batch._meta.get_field("title").max_length


def title_proposed(batch: Batch | None) -> str:
    """The title that an approval gets unless it is given another one: that of the open batch."""
    if batch:
        return batch.title
    today = datetime.fromtimestamp(time.time(), UTC)
    return f"Review of {today.day} {today:%B %Y}"


class ReasonForm(forms.Form):
    """A reason for rejecting: one that was saved, words of one's own, or the one followed by the other."""

    saved = forms.ChoiceField(label="Saved reason", required=False)
    reason = forms.CharField(
        label="Reason",
        required=False,
        max_length=LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 1}),
    )

    def __init__(self, data: QueryDict | None = None, **options: object) -> None:
        super().__init__(data, **options)
        self.texts = {str(saved.pk): saved.text for saved in SavedReason.objects.all()}
        self.fields["saved"].choices = [("", "None"), *self.texts.items()]

    def words(self) -> str:
        """The whole reason, of cleaned fields."""
        saved = self.texts.get(self.cleaned_data.get("saved", ""), "")
        return " ".join(filter(None, [saved, self.cleaned_data.get("reason", "")]))


class DecisionForm(ReasonForm):
    """A batch of decisions of one kind: `act` is APPROVE or REJECT."""

    title = forms.CharField(label="Batch title", max_length=_TITLE)

    field_order = ("title", "saved", "reason")

    def __init__(self, data: QueryDict | None = None, *, act: str = "", **options: object) -> None:
        super().__init__(data, **options)
        self.act = act

    def clean(self) -> dict:
        if self.act == REJECT and not self.errors:
            words = self.words()
            if not words:
                self.add_error("reason", "Rejecting needs a reason: choose a saved one, or write one.")
            elif len(words) > LONGEST_REASON:
                self.add_error(
                    "reason", f"Together that is {len(words)} of at most {LONGEST_REASON} characters."
                )
        for name in list(self.errors)[:1]:
            # The page of a refusal opens at what is wrong, however far down that is.
            self.fields[name].widget.attrs["autofocus"] = True
        return self.cleaned_data


class CommentForm(forms.Form):
    text = forms.CharField(
        label="Comment",
        max_length=LONGEST_COMMENT,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class SavedReasonForm(forms.Form):
    text = forms.CharField(
        label="New reason", max_length=LONGEST_REASON, widget=forms.Textarea(attrs={"rows": 2})
    )
