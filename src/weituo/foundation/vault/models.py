from __future__ import annotations

from django.db import models

from weituo.foundation.ids import UuidV7, new_id


class Subject(models.Model):
    """One person or organisation, known outside the vault by this id alone."""

    id = models.UUIDField(primary_key=True, default=new_id, db_default=UuidV7())
    #: the person's 256-bit data key, wrapped by the master key (AES key wrap, RFC 3394)
    wrapped_key = models.BinaryField()
    master_version = models.IntegerField()

    class Meta:
        db_table = "vault_subject"

    def __str__(self) -> str:
        return str(self.id)


class SealedField(models.Model):
    """One field of one subject: nonce ‖ AES-256-GCM ciphertext, bound to subject, field and position."""

    pk = models.CompositePrimaryKey("subject_id", "field", "position")
    subject = models.ForeignKey(Subject, on_delete=models.RESTRICT, db_index=False)
    field = models.TextField()
    position = models.SmallIntegerField(db_default=0)
    sealed = models.BinaryField()
    #: HMAC of the normalised value under the field's key; NULL where nobody searches
    blind = models.BinaryField(null=True)

    class Meta:
        db_table = "vault_field"
        indexes = [
            models.Index(
                # the field's name is part of what is hashed
                fields=["blind"],
                name="vault_field_found",
                condition=models.Q(blind__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subject_id} {self.field}"
