-- An entry that does not sum to zero per currency, or has fewer than two legs, cannot be committed.
CREATE FUNCTION sec.ledger_entry_balances() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    wrong text;
    legs int;
BEGIN
    SELECT count(*) INTO legs FROM ledger_leg WHERE entry_id = NEW.id;
    IF legs < 2 THEN
        RAISE EXCEPTION 'ledger entry % has % legs; it needs at least two', NEW.idempotency_key, legs USING ERRCODE = '23514';
    END IF;
    SELECT string_agg(currency || ' ' || total, ', ') INTO wrong
    FROM (SELECT currency, sum(amount_minor) AS total FROM ledger_leg WHERE entry_id = NEW.id GROUP BY currency) s WHERE total <> 0;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'ledger entry % is not balanced: %', NEW.idempotency_key, wrong USING ERRCODE = '23514';
    END IF;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION sec.ledger_entry_balances() FROM PUBLIC;
CREATE CONSTRAINT TRIGGER entry_balances AFTER INSERT ON ledger_entry
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION sec.ledger_entry_balances();

-- Legs join their entry in the same transaction or never: a booked entry cannot be stretched afterwards.
CREATE FUNCTION sec.ledger_legs_join_now() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    late text;
BEGIN
    SELECT e.idempotency_key INTO late
    FROM (SELECT DISTINCT entry_id FROM added) a JOIN ledger_entry e ON e.id = a.entry_id
    WHERE e.xid <> pg_current_xact_id() LIMIT 1;
    IF late IS NOT NULL THEN
        RAISE EXCEPTION 'ledger entry % is booked; correct it with another entry', late USING ERRCODE = '23001';
    END IF;
    SELECT l.currency || ' on an account kept in ' || a.currency INTO late
    FROM added l JOIN ledger_account a ON a.id = l.ledger_account_id WHERE a.currency <> l.currency LIMIT 1;
    IF late IS NOT NULL THEN
        RAISE EXCEPTION 'ledger leg in %', late USING ERRCODE = '23514';
    END IF;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION sec.ledger_legs_join_now() FROM PUBLIC;
ALTER TABLE ledger_entry ADD COLUMN xid xid8 NOT NULL DEFAULT pg_current_xact_id();
CREATE TRIGGER legs_join_now AFTER INSERT ON ledger_leg
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION sec.ledger_legs_join_now();

-- An agency may agree its own statement; it may not write figures into it.
REVOKE UPDATE ON ledger_statement FROM weituo_agency;
GRANT UPDATE (state, agreed_by, agreed_at) ON ledger_statement TO weituo_agency;
