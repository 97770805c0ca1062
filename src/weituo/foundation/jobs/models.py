from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from weituo.foundation.ids import UuidV7, new_id


class Job(models.Model):
    """One piece of long work: asked for by a person, done by a worker. Arguments are ids and figures, never personal data."""

    class State(models.TextChoices):
        WAITING = "WAITING"
        RUNNING = "RUNNING"
        DONE = "DONE"
        REFUSED = "REFUSED"
        FAILED = "FAILED"

    id = models.UUIDField(primary_key=True, default=new_id, db_default=UuidV7())
    kind = models.CharField(max_length=60)
    arguments = models.JSONField()
    #: SHA-256 of kind, arguments and person: asking twice for the same gives the job that is still open
    digest = models.CharField(max_length=64)
    asked_by = models.CharField(max_length=80)
    asked_at = models.DateTimeField(db_default=Now())
    #: progress and refusals are worded for whoever asked
    language = models.CharField(max_length=10)
    state = models.CharField(max_length=8, choices=State.choices, db_default=State.WAITING)
    attempts = models.SmallIntegerField(db_default=0)
    begun_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    #: `part` of `parts` is done; `words` say what goes on
    part = models.IntegerField(db_default=0)
    parts = models.IntegerField(db_default=0)
    words = models.CharField(max_length=200, db_default="")
    #: what was made: the reference that the act noted in the audit log
    ref = models.CharField(max_length=100, db_default="")
    #: why nothing was made, as data
    refusal = models.JSONField(null=True)

    class Meta:
        db_table = "jobs_job"
        constraints = [
            models.UniqueConstraint(
                fields=["digest"],
                condition=models.Q(state__in=["WAITING", "RUNNING"]),
                name="jobs_asked_once",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["WAITING", "RUNNING", "DONE", "REFUSED", "FAILED"]),
                name="jobs_state_known",
            ),
        ]
        indexes = [models.Index(fields=["-asked_at"], name="jobs_newest")]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"
