from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from weituo.foundation.ids import new_id
from weituo.foundation.reach import in_reach


class Case(models.Model):
    """A dispute, hardship application or complaint with its clock. What the borrower wrote stands in the vault."""

    class Kind(models.TextChoices):
        DISPUTE = "DISPUTE", _("dispute")
        HARDSHIP = "HARDSHIP", _("hardship")
        COMPLAINT = "COMPLAINT", _("complaint")

    class State(models.TextChoices):
        OPEN = "OPEN", _("open")
        DECIDED = "DECIDED", _("decided")

    id = models.UUIDField(primary_key=True, default=new_id)
    number = models.CharField(max_length=16, unique=True)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    state = models.CharField(max_length=8, choices=State.choices, db_default=State.OPEN)
    borrower = models.ForeignKey("book.Borrower", on_delete=models.RESTRICT)
    account = models.ForeignKey("book.Account", on_delete=models.RESTRICT, null=True)
    placement = models.ForeignKey("placement.Placement", on_delete=models.RESTRICT, null=True)
    #: whom it is about; NULL when no agency was involved
    agency_id = models.UUIDField(null=True)
    reason = models.CharField(max_length=24)
    #: where it came from: BORROWER_PAGE, AGENCY, PHONE …
    source = models.CharField(max_length=16)
    #: vault field position of the borrower's own words ("case_text"); NULL when none were given
    text_position = models.SmallIntegerField(null=True)
    opened_at = models.DateTimeField()
    due_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    decided_by = models.TextField(db_default="")
    #: upheld / accepted; NULL while open
    upheld = models.BooleanField(null=True)
    answer = models.TextField(db_default="")

    class Meta:
        db_table = "care_case"
        constraints = [
            in_reach("care_case", times=("opened_at", "due_at", "decided_at")),
            models.CheckConstraint(
                name="care_case_decided",
                condition=Q(state="OPEN", decided_at__isnull=True)
                | Q(state="DECIDED", decided_at__isnull=False, upheld__isnull=False),
            ),
        ]
        indexes = [models.Index(fields=["state", "due_at"], name="care_case_clock")]

    def __str__(self) -> str:
        return self.number


class Wish(models.Model):
    """When and how a borrower wishes to be contacted. The latest one counts."""

    id = models.UUIDField(primary_key=True, default=new_id)
    borrower = models.ForeignKey("book.Borrower", on_delete=models.RESTRICT)
    #: channels that are welcome
    channels = ArrayField(models.CharField(max_length=8))
    #: local wall time, half-open [from, to)
    hour_from = models.SmallIntegerField()
    hour_to = models.SmallIntegerField()
    language = models.CharField(max_length=10)
    active_from = models.DateTimeField()
    active_to = models.DateTimeField(null=True)

    class Meta:
        db_table = "care_wish"
        constraints = [
            in_reach("care_wish", times=("active_from", "active_to")),
            models.UniqueConstraint(
                fields=["borrower"], condition=Q(active_to__isnull=True), name="care_one_wish_in_force"
            ),
            models.CheckConstraint(
                name="care_wish_hours",
                condition=Q(hour_from__gte=0, hour_to__lte=24, hour_from__lt=models.F("hour_to")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.borrower_id}"


class AccessCode(models.Model):
    """The code in a borrower's letter; only its keyed digest is kept, and wrong answers are counted."""

    id = models.UUIDField(primary_key=True, default=new_id)
    borrower = models.ForeignKey("book.Borrower", on_delete=models.RESTRICT)
    digest = models.BinaryField(unique=True)
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    wrong_answers = models.SmallIntegerField(db_default=0)
    locked_until = models.DateTimeField(null=True)

    class Meta:
        db_table = "care_access_code"
        constraints = [in_reach("care_access_code", times=("issued_at", "expires_at", "locked_until"))]

    def __str__(self) -> str:
        return str(self.id)
