from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _

from weituo.foundation.identity.roles import LABELS, Role
from weituo.foundation.ids import new_id


class User(AbstractUser):
    """A person of the lender or of an agency who signs in. Borrowers have no user: they prove themselves per visit."""

    id = models.UUIDField(primary_key=True, default=new_id)
    role = models.CharField(
        _("role"), max_length=32, choices=[(role.value, label) for role, label in LABELS.items()]
    )
    #: the agency of an agency's user; NULL for the lender's people
    agency_id = models.UUIDField(null=True, blank=True)
    display_name = models.CharField(_("name"), max_length=120)
    language = models.CharField(_("language"), max_length=10, default="zh-hans")

    class Meta:
        db_table = "identity_user"
        constraints = [
            models.CheckConstraint(
                name="identity_user_agency_by_role",
                condition=models.Q(
                    role__in=[Role.AGENCY_SUPERVISOR, Role.COLLECTOR, Role.INTEGRATOR],
                    agency_id__isnull=False,
                )
                | (
                    ~models.Q(role__in=[Role.AGENCY_SUPERVISOR, Role.COLLECTOR, Role.INTEGRATOR])
                    & models.Q(agency_id__isnull=True)
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.username


class ApiKey(models.Model):
    """A key of an agency's system. Only its SHA-256 is kept: 256 random bits need no slow hash."""

    id = models.UUIDField(primary_key=True, default=new_id)
    name = models.CharField(max_length=120)
    agency_id = models.UUIDField()
    prefix = models.CharField(max_length=12)
    digest = models.BinaryField(unique=True)
    active_from = models.DateTimeField()
    active_to = models.DateTimeField(null=True)

    class Meta:
        db_table = "identity_api_key"

    def __str__(self) -> str:
        return self.prefix


class Person(models.Model):
    """What the lender's people may know of each other: a view that holds neither password nor second factor."""

    id = models.UUIDField(primary_key=True)
    username = models.TextField()
    display_name = models.TextField()
    role = models.TextField()
    agency_id = models.UUIDField(null=True)
    is_active = models.BooleanField()
    date_joined = models.DateTimeField()
    last_login = models.DateTimeField(null=True)
    second_factor = models.BooleanField()

    class Meta:
        db_table = "identity_person"
        managed = False

    def __str__(self) -> str:
        return self.username


class ListedKey(models.Model):
    """An API key without its digest: a view."""

    id = models.UUIDField(primary_key=True)
    name = models.TextField()
    agency_id = models.UUIDField()
    prefix = models.TextField()
    active_from = models.DateTimeField()
    active_to = models.DateTimeField(null=True)

    class Meta:
        db_table = "identity_key"
        managed = False

    def __str__(self) -> str:
        return self.prefix
