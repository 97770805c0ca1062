from __future__ import annotations

from datetime import timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from weituo.foundation.ids import UuidV7, new_id
from weituo.foundation.reach import in_reach


class Permit(models.Model):
    """The program's answer to one request for one contact, with everything needed to give it again."""

    class State(models.TextChoices):
        GRANTED = "GRANTED", _("granted")
        REFUSED = "REFUSED", _("refused")
        USED = "USED", _("used")
        VOID = "VOID", _("void")

    id = models.UUIDField(primary_key=True, default=new_id, db_default=UuidV7())
    agency = models.ForeignKey("partners.Agency", on_delete=models.RESTRICT, db_index=False)
    placement = models.ForeignKey("placement.Placement", on_delete=models.RESTRICT)
    borrower = models.ForeignKey("book.Borrower", on_delete=models.RESTRICT, db_index=False)
    contact_point = models.ForeignKey("book.ContactPoint", on_delete=models.RESTRICT, db_index=False)
    collector = models.ForeignKey("partners.Collector", on_delete=models.RESTRICT, db_index=False)
    channel = models.CharField(max_length=8)
    purpose = models.CharField(max_length=16)
    state = models.CharField(max_length=8, choices=State.choices)
    asked_at = models.DateTimeField()
    #: when the contact is to be made
    planned_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)
    voided_at = models.DateTimeField(null=True)
    #: [{code, citation, pack, version, …}] of every denying rule, the strictest first
    reasons = models.JSONField(default=list)
    #: the same, of what stood against a permit when it was taken back; the first answer stays as it was given
    void_reasons = models.JSONField(default=list, db_default=[])
    #: {rule pack: version}
    packs = models.JSONField(default=dict)
    facts = models.JSONField(default=dict)
    facts_digest = models.CharField(max_length=64)

    class Meta:
        db_table = "contact_permit"
        constraints = [
            in_reach("contact_permit", times=("asked_at", "planned_at", "expires_at", "used_at", "voided_at"))
        ]
        indexes = [
            models.Index(fields=["borrower", "planned_at"], name="contact_permit_borrower"),
            models.Index(fields=["agency", "asked_at"], name="contact_permit_agency"),
        ]

    def __str__(self) -> str:
        return f"{self.id} {self.state}"


class Attempt(models.Model):
    """One contact as the agency reported it."""

    id = models.UUIDField(primary_key=True, default=new_id, db_default=UuidV7())
    agency = models.ForeignKey("partners.Agency", on_delete=models.RESTRICT, db_index=False)
    placement = models.ForeignKey("placement.Placement", on_delete=models.RESTRICT)
    borrower = models.ForeignKey("book.Borrower", on_delete=models.RESTRICT, db_index=False)
    contact_point = models.ForeignKey("book.ContactPoint", on_delete=models.RESTRICT, db_index=False)
    permit = models.OneToOneField(Permit, on_delete=models.RESTRICT, null=True)
    channel = models.CharField(max_length=8)
    made_at = models.DateTimeField()
    reported_at = models.DateTimeField()
    #: research: result codes (NOT_CONNECTED, UNANSWERED, BUSY, VOICEMAIL, WRONG_PARTY, THIRD_PARTY, RPC_REFUSED, RPC_PROMISE …)
    result = models.CharField(max_length=20)
    duration_s = models.IntegerField(db_default=0)
    #: agency's own id of the message: a repeat is recognised
    sender_ref = models.TextField()

    class Meta:
        db_table = "contact_attempt"
        constraints = [
            in_reach("contact_attempt", times=("made_at", "reported_at")),
            # clocks differ by seconds; a contact that is yet to come is none
            models.CheckConstraint(
                name="contact_attempt_was_made",
                condition=Q(made_at__lte=F("reported_at") + timedelta(minutes=1)),
            ),
            models.UniqueConstraint(fields=["agency", "sender_ref"], name="contact_attempt_once"),
        ]
        indexes = [
            models.Index(fields=["borrower", "made_at"], name="contact_attempt_borrower"),
            models.Index(fields=["agency", "made_at"], name="contact_attempt_agency"),
        ]

    def __str__(self) -> str:
        return f"{self.id} {self.result}"


class Violation(models.Model):
    """A contact that was made against the rules, found after the fact."""

    id = models.UUIDField(primary_key=True, default=new_id)
    agency = models.ForeignKey("partners.Agency", on_delete=models.RESTRICT)
    attempt = models.ForeignKey(Attempt, on_delete=models.RESTRICT)
    code = models.CharField(max_length=32)
    #: citation of the rule or contract clause
    rule = models.TextField()
    #: ids and instants that show it
    detail = models.JSONField(default=dict)
    severity = models.SmallIntegerField()
    found_at = models.DateTimeField()
    answer_due_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    outcome = models.TextField(db_default="")

    class Meta:
        db_table = "contact_violation"
        constraints = [
            in_reach("contact_violation", times=("found_at", "answer_due_at", "closed_at")),
            models.UniqueConstraint(fields=["attempt", "code"], name="contact_violation_once"),
            models.CheckConstraint(name="contact_severity", condition=Q(severity__gte=1, severity__lte=5)),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.agency_id}"


class Preference(models.Model):
    """When and how a borrower wishes to be contacted, as the care desk or the borrower set it last."""

    borrower = models.OneToOneField("book.Borrower", on_delete=models.RESTRICT, primary_key=True)
    #: welcome channels; empty: no wish
    channels = ArrayField(models.CharField(max_length=8), default=list)
    #: local wall time, half-open [from, to)
    hour_from = models.SmallIntegerField()
    hour_to = models.SmallIntegerField()
    set_at = models.DateTimeField()

    class Meta:
        db_table = "contact_preference"
        constraints = [
            in_reach("contact_preference", times=("set_at",)),
            models.CheckConstraint(
                name="contact_preference_hours",
                condition=Q(hour_from__gte=0, hour_to__lte=24, hour_from__lt=F("hour_to")),
            ),
        ]

    def __str__(self) -> str:
        return str(self.borrower_id)
