from __future__ import annotations

from django.db import migrations

from weituo.foundation.tenancy.operations import OWN_AGENCY, Isolate


class Migration(migrations.Migration):
    """Agencies see their own notices, objections and extensions; where a declined account went is the lender's."""

    dependencies = [("placement", "0009_answers")]
    operations = [
        Isolate("placement_refill", lender="ri", worker="ri", append_only=True),
        Isolate("placement_notice", agency=("r", OWN_AGENCY)),
        Isolate("placement_objection", agency=("r", OWN_AGENCY)),
        Isolate("placement_retention", lender="ri", worker="ri", agency=("r", OWN_AGENCY), append_only=True),
        Isolate("placement_terms", lender="ri", worker="ri", append_only=True),
        # what is due is looked up by its day
        migrations.RunSQL(
            "CREATE INDEX placement_offers_due ON placement_placement (answer_by) WHERE state = 'OFFERED';"
            "CREATE INDEX placement_notices_due ON placement_notice (final_on) WHERE state = 'OPEN';",
            reverse_sql="DROP INDEX placement_notices_due; DROP INDEX placement_offers_due;",
        ),
    ]
