-- Schema `sec`: the signed tenant context and the guards that every table hangs on.
CREATE SCHEMA IF NOT EXISTS sec;
REVOKE ALL ON SCHEMA sec FROM PUBLIC;
GRANT USAGE ON SCHEMA sec TO weituo_lender, weituo_auditor, weituo_worker, weituo_agency, weituo_borrower;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO weituo_app, weituo_lender, weituo_auditor, weituo_worker, weituo_agency, weituo_borrower;

-- HMAC key in its two padded forms (RFC 2104), so that core sha256() suffices. Only the owner reads it.
CREATE TABLE sec.tenancy_key (id smallint PRIMARY KEY CHECK (id = 1), ipad bytea NOT NULL, opad bytea NOT NULL);
REVOKE ALL ON sec.tenancy_key FROM PUBLIC;

CREATE FUNCTION sec.context() RETURNS text[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    raw text := current_setting('weituo.context', true);
    cut int;
    message text;
    k sec.tenancy_key;
    parts text[];
BEGIN
    IF raw IS NULL OR raw = '' THEN RETURN NULL; END IF;
    cut := length(raw) - 64;
    IF cut < 2 THEN RAISE EXCEPTION 'tenant context refused' USING ERRCODE = '42501'; END IF;
    message := left(raw, cut - 1);
    SELECT * INTO k FROM sec.tenancy_key WHERE id = 1;
    IF encode(sha256(k.opad || sha256(k.ipad || convert_to(message, 'UTF8'))), 'hex') IS DISTINCT FROM right(raw, 64) THEN
        RAISE EXCEPTION 'tenant context refused' USING ERRCODE = '42501';
    END IF;
    parts := string_to_array(message, '|');
    IF parts[5]::bigint < extract(epoch FROM clock_timestamp()) OR parts[6]::int <> pg_backend_pid() THEN
        RAISE EXCEPTION 'tenant context expired' USING ERRCODE = '42501';
    END IF;
    RETURN parts;
END $$;

CREATE FUNCTION sec.kind() RETURNS text LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$ SELECT (sec.context())[1] $$;
CREATE FUNCTION sec.actor() RETURNS text LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$ SELECT (sec.context())[2] $$;
-- An agency's id counts only under an agency's context: a lender's or a borrower's never opens an agency's rows.
CREATE FUNCTION sec.agency_id() RETURNS uuid LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$ SELECT CASE WHEN c[1] = 'agency' THEN nullif(c[3], '')::uuid END FROM (SELECT sec.context() AS c) s $$;
CREATE FUNCTION sec.borrower_id() RETURNS uuid LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$ SELECT CASE WHEN c[1] = 'borrower' THEN nullif(c[4], '')::uuid END FROM (SELECT sec.context() AS c) s $$;

-- A transaction that changed rows leaves its number here; the deferred trigger looks for its audit entry at commit.
CREATE UNLOGGED TABLE sec.touched (xid xid8 PRIMARY KEY, relation text NOT NULL);

CREATE FUNCTION sec.touched_rows() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF session_user <> 'weituo_owner' THEN
        INSERT INTO sec.touched VALUES (pg_current_xact_id(), TG_TABLE_NAME) ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION sec.refuse_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are never changed or deleted: record a correction instead', TG_TABLE_NAME
        USING ERRCODE = '23001';
END $$;

GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA sec TO weituo_lender, weituo_auditor, weituo_worker, weituo_agency, weituo_borrower;
REVOKE EXECUTE ON FUNCTION sec.touched_rows(), sec.context() FROM PUBLIC;
-- Sign-in and job tables belong to the application's own login and to staff roles; never to agencies or borrowers.
ALTER DEFAULT PRIVILEGES FOR ROLE weituo_owner IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO weituo_app, weituo_lender, weituo_worker;
