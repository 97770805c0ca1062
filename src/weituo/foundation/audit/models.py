from __future__ import annotations

from django.db import models


class AuditEntry(models.Model):
    """One changed object of one act; written only by the database function `sec.audit_append`."""

    seq = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    actor_kind = models.TextField()
    actor_id = models.TextField()
    actor_name = models.TextField()
    act = models.TextField()
    what = models.TextField()
    ref = models.TextField()
    reason = models.TextField()
    detail = models.JSONField()
    request_id = models.TextField()
    previous_hash = models.BinaryField()
    hash = models.BinaryField()

    class Meta:
        db_table = "audit_entry"
        indexes = [
            models.Index(fields=["what", "ref", "seq"], name="audit_entry_object"),
            models.Index(fields=["act", "seq"], name="audit_entry_act"),
            models.Index(fields=["actor_id", "seq"], name="audit_entry_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.seq} {self.act} {self.what} {self.ref}"
