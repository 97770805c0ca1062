from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from weituo.foundation.ids import UuidV7, new_id
from weituo.foundation.reach import in_reach


class LedgerAccount(models.Model):
    """A place where money is counted. Balances are derived from legs; kept here as running totals by the database."""

    class Kind(models.TextChoices):
        RECEIVABLE = "RECEIVABLE", _("borrowers' receivable")
        BANK = "BANK", _("bank")
        SUSPENSE = "SUSPENSE", _("suspense")
        COMMISSION_EXPENSE = "COMMISSION_EXPENSE", _("commission expense")
        COMMISSION_PAYABLE = "COMMISSION_PAYABLE", _("commission payable")
        PLACED_BOOK = "PLACED_BOOK", _("opening balances")
        COLLECTION_COST = "COLLECTION_COST", _("in-house collection cost")
        CASH_OUT = "CASH_OUT", _("cash paid out")

    id = models.UUIDField(primary_key=True, default=new_id, db_default=UuidV7())
    kind = models.CharField(max_length=20, choices=Kind.choices)
    currency = models.CharField(max_length=3)
    #: principal, interest, fee for receivables; "" otherwise
    component = models.CharField(max_length=10, db_default="")
    #: the agency for commission accounts
    agency_id = models.UUIDField(null=True)

    class Meta:
        db_table = "ledger_account"
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "currency", "component", "agency_id"],
                nulls_distinct=False,
                name="ledger_account_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.component} {self.currency}"


class Entry(models.Model):
    """One balanced booking; never changed. Undo is another entry that names it in `reverses`."""

    id = models.UUIDField(primary_key=True, default=new_id, db_default=UuidV7())
    booked_at = models.DateTimeField()
    value_on = models.DateField()
    reason = models.CharField(max_length=24)
    #: made by the caller: the same key never books twice
    idempotency_key = models.TextField(unique=True)
    #: SHA-256 of what was asked: the same key with other content is an error
    input_digest = models.CharField(max_length=64)
    reverses = models.OneToOneField("self", on_delete=models.RESTRICT, null=True)

    class Meta:
        db_table = "ledger_entry"
        constraints = [in_reach("ledger_entry", times=("booked_at",), days=("value_on",))]

    def __str__(self) -> str:
        return self.idempotency_key


class Leg(models.Model):
    """One side of an entry: positive debits, negative credits. The legs of an entry sum to zero per currency."""

    id = models.UUIDField(primary_key=True, default=new_id, db_default=UuidV7())
    entry = models.ForeignKey(Entry, on_delete=models.RESTRICT)
    ledger_account = models.ForeignKey(LedgerAccount, on_delete=models.RESTRICT)
    #: the loan account, for receivable legs
    account = models.ForeignKey("book.Account", on_delete=models.RESTRICT, null=True)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)

    class Meta:
        db_table = "ledger_leg"
        constraints = [models.CheckConstraint(name="ledger_leg_not_zero", condition=~Q(amount_minor=0))]

    def __str__(self) -> str:
        return f"{self.entry_id} {self.amount_minor}"


class Remittance(models.Model):
    """What an agency says borrowers paid: a claim until the bank line is matched and booked."""

    class State(models.TextChoices):
        REPORTED = "REPORTED", _("reported")
        BOOKED = "BOOKED", _("booked")
        REFUSED = "REFUSED", _("refused")

    id = models.UUIDField(primary_key=True, default=new_id)
    agency = models.ForeignKey("partners.Agency", on_delete=models.RESTRICT)
    sender_ref = models.TextField()
    state = models.CharField(max_length=10, choices=State.choices, db_default=State.REPORTED)
    lines = models.IntegerField()
    total_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    reported_at = models.DateTimeField()
    booked_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "ledger_remittance"
        constraints = [
            in_reach("ledger_remittance", times=("reported_at", "booked_at")),
            models.UniqueConstraint(fields=["agency", "sender_ref"], name="ledger_remittance_once"),
        ]

    def __str__(self) -> str:
        return self.sender_ref


class RemittanceLine(models.Model):
    """One payment inside a remittance."""

    id = models.UUIDField(primary_key=True, default=new_id)
    remittance = models.ForeignKey(Remittance, on_delete=models.RESTRICT)
    agency_id = models.UUIDField()
    placement = models.ForeignKey("placement.Placement", on_delete=models.RESTRICT)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    paid_on = models.DateField()
    method = models.CharField(max_length=16)
    bank_ref = models.TextField()

    class Meta:
        db_table = "ledger_remittance_line"
        constraints = [
            in_reach("ledger_remittance_line", days=("paid_on",)),
            models.UniqueConstraint(fields=["agency_id", "bank_ref"], name="ledger_remittance_line_once"),
            models.CheckConstraint(name="ledger_remittance_line_positive", condition=Q(amount_minor__gt=0)),
        ]

    def __str__(self) -> str:
        return self.bank_ref


class BankLine(models.Model):
    """One movement on the lender's bank account."""

    id = models.UUIDField(primary_key=True, default=new_id)
    reference = models.TextField(unique=True)
    booked_on = models.DateField()
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    remittance_text = models.TextField(db_default="")
    matched_to = models.TextField(db_default="")
    received_at = models.DateTimeField()

    class Meta:
        db_table = "ledger_bank_line"
        constraints = [in_reach("ledger_bank_line", times=("received_at",), days=("booked_on",))]

    def __str__(self) -> str:
        return self.reference


class Payment(models.Model):
    """Money of a borrower applied to an account; always with its ledger entry."""

    id = models.UUIDField(primary_key=True, default=new_id, db_default=UuidV7())
    account = models.ForeignKey("book.Account", on_delete=models.RESTRICT)
    borrower_id = models.UUIDField()
    #: NULL: paid while in-house
    placement = models.ForeignKey("placement.Placement", on_delete=models.RESTRICT, null=True)
    agency_id = models.UUIDField(null=True)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    fee_minor = models.BigIntegerField(db_default=0)
    interest_minor = models.BigIntegerField(db_default=0)
    principal_minor = models.BigIntegerField(db_default=0)
    #: beyond what was owed; stays in suspense
    unapplied_minor = models.BigIntegerField(db_default=0)
    paid_on = models.DateField()
    method = models.CharField(max_length=16)
    remittance_line = models.OneToOneField(RemittanceLine, on_delete=models.RESTRICT, null=True)
    entry = models.OneToOneField(Entry, on_delete=models.RESTRICT)

    class Meta:
        db_table = "ledger_payment"
        constraints = [
            in_reach("ledger_payment", days=("paid_on",)),
            models.CheckConstraint(
                name="ledger_payment_parts",
                condition=Q(
                    amount_minor=F("fee_minor")
                    + F("interest_minor")
                    + F("principal_minor")
                    + F("unapplied_minor")
                ),
            ),
        ]
        indexes = [
            models.Index(fields=["agency_id", "paid_on"], name="ledger_payment_agency"),
            models.Index(fields=["borrower_id"], name="ledger_payment_borrower"),
        ]

    def __str__(self) -> str:
        return f"{self.account_id} {self.amount_minor}"


class Statement(models.Model):
    """Settlement statement of one agency for one period, half-open."""

    class State(models.TextChoices):
        DRAWN = "DRAWN", _("drawn up")
        AGREED = "AGREED", _("agreed by the agency")
        APPROVED = "APPROVED", _("approved")
        PAID = "PAID", _("paid")

    id = models.UUIDField(primary_key=True, default=new_id)
    agency = models.ForeignKey("partners.Agency", on_delete=models.RESTRICT)
    period_from = models.DateField()
    period_to = models.DateField()
    state = models.CharField(max_length=10, choices=State.choices, db_default=State.DRAWN)
    currency = models.CharField(max_length=3)
    payments = models.IntegerField()
    collected_minor = models.BigIntegerField()
    commission_minor = models.BigIntegerField()
    drawn_by = models.TextField()
    drawn_at = models.DateTimeField()
    agreed_by = models.TextField(db_default="")
    agreed_at = models.DateTimeField(null=True)
    approved_by = models.TextField(db_default="")
    approved_at = models.DateTimeField(null=True)
    payout_entry = models.OneToOneField(Entry, on_delete=models.RESTRICT, null=True)

    class Meta:
        db_table = "ledger_statement"
        constraints = [
            in_reach(
                "ledger_statement",
                times=("drawn_at", "agreed_at", "approved_at"),
                days=("period_from", "period_to"),
            ),
            models.UniqueConstraint(fields=["agency", "period_from"], name="ledger_statement_once"),
        ]

    def __str__(self) -> str:
        return f"{self.agency_id} {self.period_from}"


class CommissionLine(models.Model):
    """Commission earned on one payment, with its derivation."""

    id = models.UUIDField(primary_key=True, default=new_id, db_default=UuidV7())
    agency_id = models.UUIDField()
    payment = models.OneToOneField(Payment, on_delete=models.RESTRICT)
    placement = models.ForeignKey("placement.Placement", on_delete=models.RESTRICT)
    base_minor = models.BigIntegerField()
    fee_bps = models.IntegerField()
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    earned_on = models.DateField()
    entry = models.ForeignKey(Entry, on_delete=models.RESTRICT)
    statement = models.ForeignKey(Statement, on_delete=models.RESTRICT, null=True)

    class Meta:
        db_table = "ledger_commission_line"
        constraints = [in_reach("ledger_commission_line", days=("earned_on",))]
        indexes = [models.Index(fields=["agency_id", "earned_on"], name="ledger_commission_agency")]

    def __str__(self) -> str:
        return f"{self.payment_id} {self.amount_minor}"
