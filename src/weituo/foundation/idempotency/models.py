from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from weituo.foundation.ids import UuidV7, new_id


class Answer(models.Model):
    """One keyed request of an agency's system: claimed first, answered when its act has committed."""

    id = models.UUIDField(primary_key=True, default=new_id, db_default=UuidV7())
    agency_id = models.UUIDField()
    key = models.CharField(max_length=80)
    #: SHA-256 of method, path and body
    request_digest = models.CharField(max_length=64)
    claimed_at = models.DateTimeField(db_default=Now())
    #: NULL while the act runs
    status = models.SmallIntegerField(null=True)
    body = models.BinaryField(null=True)
    content_type = models.CharField(max_length=60, db_default="")

    class Meta:
        db_table = "idempotency_answer"
        constraints = [models.UniqueConstraint(fields=["agency_id", "key"], name="idempotency_key_once")]

    def __str__(self) -> str:
        return self.key
