-- The chain: hash = sha256(previous hash || canonical text of the entry). Numbers have no gaps.
ALTER TABLE audit_entry ADD COLUMN xid xid8 NOT NULL DEFAULT pg_current_xact_id();
CREATE INDEX audit_entry_xid ON audit_entry (xid);

CREATE FUNCTION sec.audit_text(e audit_entry) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT jsonb_build_array(
        e.seq, to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        to_char(e.recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        e.actor_kind, e.actor_id, e.actor_name, e.act, e.what, e.ref, e.reason, e.detail, e.request_id)::text
$$;

-- The actor's kind and id come from the signed context, not from the caller: an entry cannot be written in another's name.
CREATE FUNCTION sec.audit_append(
    p_at timestamptz, p_actor_name text, p_act text, p_what text, p_ref text, p_reason text, p_detail jsonb, p_request_id text
) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    c text[] := sec.context();
    last_seq bigint;
    last_hash bytea;
    e audit_entry;
BEGIN
    IF c IS NULL THEN RAISE EXCEPTION 'an audit entry needs a tenant context' USING ERRCODE = '42501'; END IF;
    PERFORM pg_advisory_xact_lock(7238190440001);
    SELECT seq, hash INTO last_seq, last_hash FROM audit_entry ORDER BY seq DESC LIMIT 1;
    e.seq := coalesce(last_seq, 0) + 1;
    e.at := p_at;
    e.recorded_at := clock_timestamp();
    e.actor_kind := c[1];
    e.actor_id := c[2];
    e.actor_name := p_actor_name;
    e.act := p_act;
    e.what := p_what;
    e.ref := p_ref;
    e.reason := p_reason;
    e.detail := p_detail;
    e.request_id := p_request_id;
    e.previous_hash := coalesce(last_hash, '\x'::bytea);
    e.hash := sha256(e.previous_hash || convert_to(sec.audit_text(e), 'UTF8'));
    e.xid := pg_current_xact_id();
    INSERT INTO audit_entry SELECT e.*;
    RETURN e.seq;
END $$;
REVOKE EXECUTE ON FUNCTION sec.audit_append(timestamptz, text, text, text, text, text, jsonb, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sec.audit_append(timestamptz, text, text, text, text, text, jsonb, text)
    TO weituo_lender, weituo_worker, weituo_agency, weituo_borrower, weituo_auditor;
GRANT EXECUTE ON FUNCTION sec.audit_text(audit_entry) TO weituo_lender, weituo_auditor, weituo_worker;

-- At commit: rows were changed, so an entry of the same transaction must stand.
CREATE FUNCTION sec.require_audit() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM audit_entry WHERE xid = NEW.xid) THEN
        RAISE EXCEPTION 'rows of % were changed without an audit entry', NEW.relation USING ERRCODE = '23514';
    END IF;
    DELETE FROM sec.touched WHERE xid = NEW.xid;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION sec.require_audit() FROM PUBLIC;
CREATE CONSTRAINT TRIGGER require_audit AFTER INSERT ON sec.touched
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION sec.require_audit();
