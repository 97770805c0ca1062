from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from weituo.foundation.ids import UuidV7, new_id


class ImportFile(models.Model):
    """One imported file; its digest with the profile's and the day makes a repeat a no-op."""

    id = models.UUIDField(primary_key=True, default=new_id)
    digest = models.CharField(max_length=64)
    profile = models.CharField(max_length=80)
    #: SHA-256 of what the profile said; "" for files imported before it was kept
    profile_digest = models.CharField(max_length=64, db_default="")
    filename = models.TextField()
    as_of = models.DateField()
    currency = models.CharField(max_length=3)
    rows = models.IntegerField()
    accounts = models.IntegerField()
    borrowers = models.IntegerField()
    history_rows = models.IntegerField()
    rejected = models.IntegerField()
    balance_minor = models.BigIntegerField()
    #: the printed summary (by_bucket, money by component, reject file name)
    report = models.JSONField(default=dict)
    imported_at = models.DateTimeField()

    class Meta:
        db_table = "book_import_file"
        constraints = [
            models.UniqueConstraint(
                fields=["digest", "profile", "profile_digest", "as_of"], name="book_import_once"
            )
        ]

    def __str__(self) -> str:
        return self.filename


class Borrower(models.Model):
    """A person or organisation that owes; who it is stands in the vault under `subject_id`."""

    id = models.UUIDField(primary_key=True, default=new_id, db_default=UuidV7())
    subject_id = models.UUIDField(unique=True)
    #: the lender's own customer number; never leaves the lender
    external_ref = models.TextField()
    is_organisation = models.BooleanField(db_default=False)
    language = models.CharField(max_length=10, db_default="zh-hans")
    #: province code (GB/T 2260, two digits) or country subdivision
    region = models.CharField(max_length=12, db_default="")

    class Meta:
        db_table = "book_borrower"
        constraints = [models.UniqueConstraint(fields=["external_ref"], name="book_borrower_once")]

    def __str__(self) -> str:
        return str(self.id)


class Account(models.Model):
    """One overdue loan of one borrower: what is owed is of the last file plus booked payments.

    How late it is depends on the day that is asked about: the function `book_account_on(day)` gives the same rows with
    `days_past_due` and `bucket` of that day; what the file said is `stated_days` there.
    """

    class Status(models.TextChoices):
        OPEN = "OPEN", _("open")
        CLOSED = "CLOSED", _("closed")

    id = models.UUIDField(primary_key=True, default=new_id, db_default=UuidV7())
    borrower = models.ForeignKey(Borrower, on_delete=models.RESTRICT)
    external_ref = models.TextField()
    product = models.CharField(max_length=20)
    currency = models.CharField(max_length=3)
    principal_minor = models.BigIntegerField()
    interest_minor = models.BigIntegerField(db_default=0)
    fee_minor = models.BigIntegerField(db_default=0)
    balance_minor = models.BigIntegerField()
    credit_limit_minor = models.BigIntegerField(null=True)
    opened_on = models.DateField(null=True)
    past_due_since = models.DateField(null=True)
    #: as the file stated them for `as_of`
    days_past_due = models.IntegerField()
    #: the day from which days past due are counted; NULL: not late when it was stated
    late_since = models.GeneratedField(
        expression=models.Func(
            F("past_due_since"), F("days_past_due"), F("as_of"), function="book_late_since"
        ),
        output_field=models.DateField(),
        db_persist=True,
        null=True,
    )
    region = models.CharField(max_length=12, db_default="")
    as_of = models.DateField()
    status = models.CharField(max_length=8, choices=Status.choices, db_default=Status.OPEN)
    #: the day on which nothing was owed any more; from then on it ages no further
    closed_on = models.DateField(null=True)
    #: what booked payments have taken off since the file that `as_of` is of
    lowered_minor = models.BigIntegerField(db_default=0)
    #: the last day on which booked money came in; NULL: none was booked here, or the last was reversed
    last_paid_on = models.DateField(null=True)
    import_file = models.ForeignKey(ImportFile, on_delete=models.RESTRICT)
    #: the import file that stated it last, when that is not the one it came with
    refreshed_by = models.UUIDField(null=True)

    class Meta:
        db_table = "book_account"
        indexes = [models.Index(fields=["late_since", "id"], name="book_account_late")]
        constraints = [
            models.CheckConstraint(
                name="book_account_closed_on_a_day",
                condition=Q(status="OPEN", closed_on__isnull=True)
                | Q(status="CLOSED", closed_on__isnull=False),
            ),
            models.UniqueConstraint(fields=["external_ref"], name="book_account_once"),
            models.CheckConstraint(
                name="book_account_balance_is_sum",
                condition=Q(balance_minor=F("principal_minor") + F("interest_minor") + F("fee_minor")),
            ),
            models.CheckConstraint(
                name="book_account_not_negative",
                condition=Q(principal_minor__gte=0, interest_minor__gte=0, fee_minor__gte=0),
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)


class RepaymentHistory(models.Model):
    """The months of one account, newest first: what was billed, what was paid, how late. NULL: the file says nothing.

    The view `book_repayment_month` gives one row a month.
    """

    account = models.OneToOneField(Account, on_delete=models.RESTRICT, primary_key=True)
    #: first day of the month that stands first in the lists; each next place is one month earlier
    newest_month = models.DateField()
    bill_minor = ArrayField(models.BigIntegerField(null=True))
    paid_minor = ArrayField(models.BigIntegerField(null=True))
    months_late = ArrayField(models.SmallIntegerField(null=True))

    class Meta:
        db_table = "book_repayment_history"
        constraints = [
            models.CheckConstraint(
                name="book_repayment_history_even",
                condition=Q(bill_minor__len=F("paid_minor__len"), paid_minor__len=F("months_late__len")),
            )
        ]

    def __str__(self) -> str:
        return f"{self.account_id} {self.newest_month}"


class ContactPoint(models.Model):
    """A way to reach somebody about a borrower; the number itself is the vault's field `field` at `position`."""

    class Channel(models.TextChoices):
        PHONE = "PHONE", _("phone")
        EMAIL = "EMAIL", _("e-mail")
        ADDRESS = "ADDRESS", _("address")

    class Role(models.TextChoices):
        BORROWER = "BORROWER", _("borrower")
        CO_BORROWER = "CO_BORROWER", _("co-borrower")
        GUARANTOR = "GUARANTOR", _("guarantor")
        CONTACT = "CONTACT", _("contact person")

    id = models.UUIDField(primary_key=True, default=new_id, db_default=UuidV7())
    borrower = models.ForeignKey(Borrower, on_delete=models.RESTRICT, db_index=False)
    channel = models.CharField(max_length=8, choices=Channel.choices)
    role = models.CharField(max_length=12, choices=Role.choices, db_default=Role.BORROWER)
    field = models.TextField()
    position = models.SmallIntegerField(db_default=0)
    #: every zone the point may be in (IANA names); a contact must be allowed in all of them
    zones = ArrayField(models.TextField(), default=list)
    valid = models.BooleanField(db_default=True)

    class Meta:
        db_table = "book_contact_point"
        constraints = [
            models.UniqueConstraint(fields=["borrower", "field", "position"], name="book_contact_point_once")
        ]

    def __str__(self) -> str:
        return str(self.id)


class Hold(models.Model):
    """A reason why an account or a whole borrower must not be worked (or only in a certain way)."""

    class Kind(models.TextChoices):
        DISPUTE = "DISPUTE", _("disputed")
        HARDSHIP = "HARDSHIP", _("hardship")
        DECEASED = "DECEASED", _("deceased")
        MINOR = "MINOR", _("minor")
        BANKRUPT = "BANKRUPT", _("bankrupt")
        REPRESENTED = "REPRESENTED", _("represented by a lawyer")
        CEASED = "CEASED", _("asked to stop contact")
        VULNERABLE = "VULNERABLE", _("vulnerable")
        LEGAL = "LEGAL", _("in legal action")
        SOLD = "SOLD", _("sold")
        PROMISE = "PROMISE", _("open promise to pay")
        COMPLAINT = "COMPLAINT", _("open complaint")

    id = models.UUIDField(primary_key=True, default=new_id)
    borrower = models.ForeignKey(Borrower, on_delete=models.RESTRICT)
    #: NULL: the hold covers all accounts of the borrower
    account = models.ForeignKey(Account, on_delete=models.RESTRICT, null=True)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    reason = models.TextField()
    #: what asked for it: import, care case id, …
    source = models.TextField(db_default="")
    active_from = models.DateTimeField()
    active_to = models.DateTimeField(null=True)

    class Meta:
        db_table = "book_hold"
        indexes = [
            models.Index(
                fields=["borrower", "kind"], name="book_hold_open", condition=Q(active_to__isnull=True)
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.borrower_id}"
