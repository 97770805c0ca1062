"""An open promise is a hold in the book, so that whoever places accounts sees it; the agency that reports one puts it there."""

from __future__ import annotations

from django.db import migrations

#: an agency writes holds of its own cases' promises, and can read none
OF_OWN_CASES = """
GRANT INSERT ON book_hold TO weituo_agency;
CREATE POLICY agency_insert ON book_hold FOR INSERT TO weituo_agency WITH CHECK (
    kind = 'PROMISE' AND EXISTS (SELECT 1 FROM placement_placement p
        WHERE p.account_id = book_hold.account_id AND p.borrower_id = book_hold.borrower_id AND p.agency_id = (SELECT sec.agency_id())));
"""
OPEN_ALREADY = """
INSERT INTO book_hold (id, borrower_id, account_id, kind, reason, source, active_from)
SELECT uuidv7(), p.borrower_id, p.account_id, 'PROMISE', 'PROMISED', 'promise:' || t.id, t.made_at
FROM tracking_promise t JOIN placement_placement p ON p.id = t.placement_id WHERE t.state = 'OPEN'
"""


class Migration(migrations.Migration):
    dependencies = [
        ("tracking", "0003_in_reach"),
        ("placement", "0001_initial"),
        ("book", "0002_isolation"),
    ]
    operations = [
        migrations.RunSQL(
            OF_OWN_CASES,
            reverse_sql="DROP POLICY agency_insert ON book_hold; REVOKE INSERT ON book_hold FROM weituo_agency;",
        ),
        migrations.RunSQL(
            OPEN_ALREADY,
            reverse_sql="UPDATE book_hold SET active_to = now() WHERE kind = 'PROMISE' AND active_to IS NULL AND source LIKE 'promise:%'",
        ),
    ]
