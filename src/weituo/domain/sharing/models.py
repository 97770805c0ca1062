from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from weituo.foundation.ids import new_id
from weituo.foundation.reach import in_reach


class Recipient(models.Model):
    """An agency's public age key (X25519); the private key never comes here."""

    id = models.UUIDField(primary_key=True, default=new_id)
    agency = models.ForeignKey("partners.Agency", on_delete=models.RESTRICT)
    public_key = models.TextField()
    active_from = models.DateTimeField()
    active_to = models.DateTimeField(null=True)

    class Meta:
        db_table = "sharing_recipient"
        constraints = [
            in_reach("sharing_recipient", times=("active_from", "active_to")),
            models.UniqueConstraint(
                fields=["agency"], condition=Q(active_to__isnull=True), name="sharing_one_live_key"
            ),
        ]

    def __str__(self) -> str:
        return self.public_key


class Package(models.Model):
    """One encrypted file for one agency with the facts its agreement allows."""

    class State(models.TextChoices):
        BUILT = "BUILT", _("built")
        ACKNOWLEDGED = "ACKNOWLEDGED", _("acknowledged")
        REVOKED = "REVOKED", _("revoked")

    id = models.UUIDField(primary_key=True, default=new_id)
    agency = models.ForeignKey("partners.Agency", on_delete=models.RESTRICT)
    run = models.ForeignKey("placement.Run", on_delete=models.RESTRICT)
    agreement = models.ForeignKey("partners.Agreement", on_delete=models.RESTRICT)
    state = models.CharField(max_length=12, choices=State.choices, db_default=State.BUILT)
    fields = ArrayField(models.TextField())
    cases = models.IntegerField()
    balance_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    #: of the encrypted file
    digest = models.CharField(max_length=64)
    size_bytes = models.BigIntegerField()
    built_at = models.DateTimeField()
    acknowledged_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    revoked_reason = models.TextField(db_default="")

    class Meta:
        db_table = "sharing_package"
        constraints = [
            in_reach("sharing_package", times=("built_at", "acknowledged_at", "revoked_at")),
            models.UniqueConstraint(
                fields=["agency", "run"], condition=~Q(state="REVOKED"), name="sharing_one_live_package"
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)


class Destruction(models.Model):
    """One demand to destroy every copy of these cases' facts, because they were taken back; the agency confirms it once."""

    id = models.UUIDField(primary_key=True, default=new_id)
    agency = models.ForeignKey("partners.Agency", on_delete=models.RESTRICT)
    #: where the facts were given; null: they were only opened online
    package = models.ForeignKey(Package, on_delete=models.RESTRICT, null=True)
    placements = ArrayField(models.UUIDField())
    cases = models.IntegerField()
    reason = models.TextField()
    asked_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
    confirmed_by = models.TextField(db_default="")

    class Meta:
        db_table = "sharing_destruction"
        constraints = [
            in_reach("sharing_destruction", times=("asked_at", "confirmed_at")),
            models.CheckConstraint(
                condition=Q(cases__gt=0) & Q(placements__len=F("cases")), name="sharing_destruction_counts"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.agency_id} {self.asked_at}"


class Disclosure(models.Model):
    """One act of sharing named fields with one agency: a package, or one case opened online."""

    id = models.UUIDField(primary_key=True, default=new_id)
    agency = models.ForeignKey("partners.Agency", on_delete=models.RESTRICT)
    package = models.ForeignKey(Package, on_delete=models.RESTRICT, null=True)
    placement = models.ForeignKey("placement.Placement", on_delete=models.RESTRICT, null=True)
    purpose = models.CharField(max_length=16)
    fields = ArrayField(models.TextField())
    cases = models.IntegerField()
    disclosed_by = models.TextField()
    disclosed_at = models.DateTimeField()

    class Meta:
        db_table = "sharing_disclosure"
        constraints = [in_reach("sharing_disclosure", times=("disclosed_at",))]
        indexes = [models.Index(fields=["disclosed_by", "disclosed_at"], name="sharing_disclosure_rate")]

    def __str__(self) -> str:
        return f"{self.agency_id} {self.disclosed_at}"
