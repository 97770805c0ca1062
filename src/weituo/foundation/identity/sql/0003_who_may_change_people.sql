-- Who signs in, with what: changed by an administrator's unit or by the program, read by the application's own login.
-- The role of the person is part of the signed context: a lender's analyst reaches these rows by no SQL.
CREATE FUNCTION sec.administers() RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$ SELECT coalesce(c[1] = 'worker' OR (c[1] = 'lender' AND c[7] = 'ADMIN'), false) FROM (SELECT sec.context() AS c) s $$;
GRANT EXECUTE ON FUNCTION sec.administers() TO weituo_lender, weituo_worker;

DO $do$
DECLARE t name;
BEGIN
    FOREACH t IN ARRAY ARRAY['identity_user', 'identity_api_key', 'mfa_authenticator'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY owner_all ON %I TO weituo_owner USING (true) WITH CHECK (true)', t);
        EXECUTE format('CREATE POLICY sign_in ON %I TO weituo_app USING (true) WITH CHECK (true)', t);
        EXECUTE format('CREATE POLICY administrator ON %I TO weituo_lender, weituo_worker USING ((SELECT sec.administers())) WITH CHECK ((SELECT sec.administers()))', t);
        -- a sign-in stands in no unit of work and changes only when it was; everything else is an act
        EXECUTE format(
            'CREATE TRIGGER must_be_audited AFTER INSERT OR UPDATE OR DELETE ON %I FOR EACH STATEMENT '
            'WHEN (coalesce(current_setting(''weituo.context'', true), '''') <> '''') EXECUTE FUNCTION sec.touched_rows()', t);
    END LOOP;
END $do$;

-- What the lender's people may know of each other: names and roles, never a password's hash or a second factor.
CREATE VIEW identity_person AS
SELECT u.id, u.username, u.display_name, u.role, u.agency_id, u.is_active, u.date_joined, u.last_login,
    EXISTS (SELECT FROM mfa_authenticator f WHERE f.user_id = u.id AND f.type = 'totp') AS second_factor
FROM identity_user u;
CREATE VIEW identity_key AS
SELECT k.id, k.name, k.agency_id, k.prefix, k.active_from, k.active_to FROM identity_api_key k;
GRANT SELECT ON identity_person, identity_key TO weituo_lender, weituo_worker, weituo_auditor;
