"""Migration operations that put a table under row-level security, one line a table."""

from __future__ import annotations

from typing import Any

from django.db import migrations

#: rights by letter: r = SELECT, i = INSERT, u = UPDATE, d = DELETE
_VERBS = {"r": "SELECT", "i": "INSERT", "u": "UPDATE", "d": "DELETE"}
OWN_AGENCY = "agency_id = (SELECT sec.agency_id())"
OWN_BORROWER = "borrower_id = (SELECT sec.borrower_id())"


def isolate_sql(
    table: str,
    *,
    lender: str = "riu",
    worker: str = "riu",
    auditor: str = "r",
    agency: tuple[str, str] | None = None,
    borrower: tuple[str, str] | None = None,
    audited: bool = True,
    append_only: bool = False,
) -> str:
    """Give the SQL that forces row-level security on `table` (see `Isolate`)."""
    rules: dict[str, tuple[str, str]] = {
        "lender": (lender, "(SELECT sec.kind()) = 'lender'"),
        "worker": (worker, "(SELECT sec.kind()) = 'worker'"),
        "auditor": (auditor, "(SELECT sec.kind()) = 'auditor'"),
    }
    if agency:
        rules["agency"] = agency
    if borrower:
        rules["borrower"] = borrower
    lines = [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY;",
        f"CREATE POLICY owner_all ON {table} TO weituo_owner USING (true) WITH CHECK (true);",
    ]
    for kind, (rights, predicate) in rules.items():
        if not rights:
            continue
        grants = ", ".join(_VERBS[letter] for letter in rights)
        lines.append(f"GRANT {grants} ON {table} TO weituo_{kind};")
        for letter in rights:
            using = f"USING ({predicate})" if letter in "rud" else ""
            check = f"WITH CHECK ({predicate})" if letter in "iu" else ""
            lines.append(
                f"CREATE POLICY {kind}_{_VERBS[letter].lower()} ON {table} FOR {_VERBS[letter]} TO weituo_{kind} {using} {check};"
            )
    if audited:
        lines.append(
            f"CREATE TRIGGER must_be_audited AFTER INSERT OR UPDATE OR DELETE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION sec.touched_rows();"
        )
    if append_only:
        lines.append(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION sec.refuse_change();"
        )
    return "\n".join(lines)


class Isolate(migrations.RunSQL):
    """Force row-level security on `table`: rights as letters of “riud” by kind of user.

    `agency` and `borrower` are (rights, predicate) or None for no access at all. `audited` makes a commit that
    changed the table without an audit entry fail. `append_only` refuses UPDATE, DELETE and TRUNCATE to everybody.
    """

    def __init__(self, table: str, **options: Any) -> None:
        self.table, self.options = table, options
        super().__init__(isolate_sql(table, **options), reverse_sql=migrations.RunSQL.noop)

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return ("Isolate", [self.table], self.options)


#: names are written in by `replace`; all of them come from migrations
_REFER = """
DO $do$
DECLARE key name := (
    SELECT c.conname FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
    WHERE c.contype = 'f' AND c.conrelid = '<table>'::regclass AND cardinality(c.conkey) = 1 AND a.attname = '<column>');
BEGIN
    EXECUTE format('ALTER TABLE <table> ALTER CONSTRAINT %I NOT ENFORCED', key);
END $do$;
CREATE TRIGGER <column>_exists AFTER INSERT ON <table> REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION sec.parents_exist('<column>', '<parent>');
CREATE TRIGGER <column>_stays BEFORE UPDATE OF <column> ON <table> FOR EACH STATEMENT EXECUTE FUNCTION sec.refuse_identity();
DROP TRIGGER IF EXISTS identity_stays ON <parent>;
CREATE TRIGGER identity_stays BEFORE UPDATE OF id OR DELETE OR TRUNCATE ON <parent>
    FOR EACH STATEMENT EXECUTE FUNCTION sec.refuse_identity();
"""


class References(migrations.RunSQL):
    """Check the foreign key of `column` to `parent` (its `id`) set-wise, once a statement, instead of row by row.

    For tables that are filled by the million. What row-wise checks need locks for cannot happen: rows of the parent are never
    deleted nor renumbered, and a row never changes whom it belongs to. The key itself stays in the catalogue, not enforced.
    """

    def __init__(self, table: str, column: str, parent: str) -> None:
        self.arguments = [table, column, parent]
        body = _REFER.replace("<table>", table).replace("<column>", column).replace("<parent>", parent)
        super().__init__(body, reverse_sql=migrations.RunSQL.noop)

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return ("References", self.arguments, {})
