from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from weituo.foundation.ids import new_id
from weituo.foundation.reach import in_reach


class Agency(models.Model):
    """A collection agency on its way from prospect to partner to exit."""

    class State(models.TextChoices):
        PROSPECT = "PROSPECT", _("prospect")
        SCREENED = "SCREENED", _("screened")
        PROPOSED = "PROPOSED", _("proposed")
        APPROVED = "APPROVED", _("approved")
        SUSPENDED = "SUSPENDED", _("suspended")
        REJECTED = "REJECTED", _("rejected")
        ENDED = "ENDED", _("ended")

    id = models.UUIDField(primary_key=True, default=new_id)
    code = models.CharField(max_length=12, unique=True)
    name_zh = models.TextField()
    name_en = models.TextField()
    state = models.CharField(max_length=10, choices=State.choices, db_default=State.PROSPECT)
    #: 1 is the best; NULL until approved
    tier = models.SmallIntegerField(null=True)
    capacity_accounts_max = models.IntegerField(db_default=0)
    #: province codes where it may work; empty: everywhere
    regions = ArrayField(models.TextField(), default=list)
    #: published to borrowers so that they can check who calls
    public_phone = models.TextField(db_default="")
    public_url = models.TextField(db_default="")
    state_since = models.DateTimeField()

    class Meta:
        db_table = "partners_agency"
        constraints = [in_reach("partners_agency", times=("state_since",))]

    def __str__(self) -> str:
        return self.code


class Paper(models.Model):
    """A document of an agency with its expiry: licence, certificate, insurance, reference, evidence."""

    class Kind(models.TextChoices):
        LICENCE = "LICENCE", _("business licence")
        CONFIDENTIALITY = "CONFIDENTIALITY", _("confidentiality agreement")
        SECURITY = "SECURITY", _("security certificate")
        INSURANCE = "INSURANCE", _("liability insurance")
        REFERENCE = "REFERENCE", _("client reference")
        PERFORMANCE = "PERFORMANCE", _("past performance")
        TRAINING = "TRAINING", _("training record")

    id = models.UUIDField(primary_key=True, default=new_id)
    agency = models.ForeignKey(Agency, on_delete=models.RESTRICT)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    number = models.TextField()
    issuer = models.TextField()
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)
    #: SHA-256 of the stored file
    digest = models.CharField(max_length=64)
    #: figures of the evidence (past recovery, complaints, reference score)
    facts = models.JSONField(default=dict)
    verified_by = models.TextField(db_default="")
    verified_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "partners_paper"
        constraints = [in_reach("partners_paper", times=("verified_at",), days=("valid_from", "valid_to"))]

    def __str__(self) -> str:
        return f"{self.kind} {self.number}"


class Assessment(models.Model):
    """One screening of an agency: score by criterion, weights, total; the evidence each score rests on."""

    id = models.UUIDField(primary_key=True, default=new_id)
    agency = models.ForeignKey(Agency, on_delete=models.RESTRICT)
    #: {criterion: {"score": 0–100, "weight_bps": …, "evidence": [paper ids], "note": …}}
    criteria = models.JSONField()
    #: weighted total, 0–10 000 (hundredths of a point)
    total_bps = models.IntegerField()
    assessed_by = models.TextField()
    assessed_at = models.DateTimeField()

    class Meta:
        db_table = "partners_assessment"
        constraints = [in_reach("partners_assessment", times=("assessed_at",))]

    def __str__(self) -> str:
        return f"{self.agency_id} {self.total_bps}"


class Proposal(models.Model):
    """A change of an agency that needs a second person (approval, tier, suspension, end)."""

    id = models.UUIDField(primary_key=True, default=new_id)
    agency = models.ForeignKey(Agency, on_delete=models.RESTRICT)
    change = models.CharField(max_length=16)
    detail = models.JSONField(default=dict)
    reason = models.TextField()
    proposed_by = models.TextField()
    proposed_by_name = models.TextField()
    proposed_at = models.DateTimeField()
    decided_by = models.TextField(db_default="")
    decided_by_name = models.TextField(db_default="")
    decided_at = models.DateTimeField(null=True)
    #: NULL while open
    approved = models.BooleanField(null=True)
    decision_reason = models.TextField(db_default="")

    class Meta:
        db_table = "partners_proposal"
        constraints = [
            in_reach("partners_proposal", times=("proposed_at", "decided_at")),
            models.UniqueConstraint(
                fields=["agency", "change"],
                condition=Q(decided_at__isnull=True),
                name="partners_one_open_proposal",
            ),
            models.CheckConstraint(
                name="partners_two_persons",
                condition=Q(approved__isnull=True) | Q(approved=False) | ~Q(decided_by=F("proposed_by")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.change} {self.agency_id}"


class Agreement(models.Model):
    """A contract with an agency: confidentiality (which fields may be shared) or service (fees)."""

    class Kind(models.TextChoices):
        SERVICE = "SERVICE", _("service agreement")
        CONFIDENTIALITY = "CONFIDENTIALITY", _("confidentiality agreement")

    id = models.UUIDField(primary_key=True, default=new_id)
    agency = models.ForeignKey(Agency, on_delete=models.RESTRICT)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    version = models.IntegerField()
    #: fields that may be disclosed (confidentiality agreements)
    fields_allowed = ArrayField(models.TextField(), default=list)
    #: {"M1": bps, …, "default": bps} (service agreements)
    fee_bps_by_bucket = models.JSONField(default=dict)
    #: placements begin with the lender's approval (service agreements); else the agency accepts or declines each
    accepts_in_advance = models.BooleanField(db_default=True)
    active_from = models.DateField()
    active_to = models.DateField(null=True)
    ended_reason = models.TextField(db_default="")

    class Meta:
        db_table = "partners_agreement"
        constraints = [
            in_reach("partners_agreement", days=("active_from", "active_to")),
            models.UniqueConstraint(fields=["agency", "kind", "version"], name="partners_agreement_version"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.agency_id} v{self.version}"


class Collector(models.Model):
    """A person of an agency who contacts borrowers; known by a public badge number so that borrowers can check it."""

    id = models.UUIDField(primary_key=True, default=new_id)
    agency = models.ForeignKey(Agency, on_delete=models.RESTRICT)
    badge = models.CharField(max_length=16, unique=True)
    alias = models.TextField()
    registered_on = models.DateField()
    trained_until = models.DateField()
    active_to = models.DateField(null=True)

    class Meta:
        db_table = "partners_collector"
        constraints = [in_reach("partners_collector", days=("registered_on", "trained_until", "active_to"))]

    def __str__(self) -> str:
        return self.badge


class Membership(models.Model):
    """An agency belongs to a group of owners for a time: agencies of one group are sisters and count as one."""

    id = models.UUIDField(primary_key=True, default=new_id)
    agency = models.ForeignKey(Agency, on_delete=models.RESTRICT)
    group = models.TextField()
    reason = models.TextField()
    active_from = models.DateField()
    #: half-open; NULL: until somebody ends it
    active_to = models.DateField(null=True)
    entered_by = models.TextField()
    entered_by_name = models.TextField()
    entered_at = models.DateTimeField()
    ended_by_name = models.TextField(db_default="")
    ended_at = models.DateTimeField(null=True)
    ended_reason = models.TextField(db_default="")

    class Meta:
        db_table = "partners_membership"
        constraints = [
            in_reach(
                "partners_membership", times=("entered_at", "ended_at"), days=("active_from", "active_to")
            ),
            models.UniqueConstraint(
                fields=["agency"], condition=Q(active_to__isnull=True), name="partners_one_open_group"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.agency_id} {self.group}"


class Conflict(models.Model):
    """Accounts that an agency, and its sisters, must not get: a borrower's, or those of a region, a product, an employer."""

    class Kind(models.TextChoices):
        BORROWER = "BORROWER", _("borrower")
        REGION = "REGION", _("region")
        PRODUCT = "PRODUCT", _("product")
        EMPLOYER = "EMPLOYER", _("employer")

    id = models.UUIDField(primary_key=True, default=new_id)
    agency = models.ForeignKey(Agency, on_delete=models.RESTRICT)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    #: id of the borrower, code of the province, the lender's word for the product, name of the employer
    subject = models.TextField()
    reason = models.TextField()
    active_from = models.DateField()
    #: half-open; NULL: until somebody ends it
    active_to = models.DateField(null=True)
    entered_by = models.TextField()
    entered_by_name = models.TextField()
    entered_at = models.DateTimeField()
    ended_by_name = models.TextField(db_default="")
    ended_at = models.DateTimeField(null=True)
    ended_reason = models.TextField(db_default="")

    class Meta:
        db_table = "partners_conflict"
        constraints = [
            in_reach(
                "partners_conflict", times=("entered_at", "ended_at"), days=("active_from", "active_to")
            ),
        ]
        indexes = [models.Index(fields=["kind", "subject"], name="partners_conflict_subject")]

    def __str__(self) -> str:
        return f"{self.agency_id} {self.kind}"
