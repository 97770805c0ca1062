-- Foreign keys checked once a statement: what a load of millions of rows refers to must stand, and stays as it is.
CREATE FUNCTION sec.parents_exist() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    missing text;
BEGIN
    EXECUTE format(
        'SELECT min(f.%1$I::text) FROM fresh f WHERE f.%1$I IS NOT NULL AND NOT EXISTS (SELECT FROM %2$I p WHERE p.id = f.%1$I)',
        TG_ARGV[0], TG_ARGV[1]) INTO missing;
    IF missing IS NOT NULL THEN
        RAISE EXCEPTION '% of % names % in %, which does not exist', TG_ARGV[0], TG_TABLE_NAME, missing, TG_ARGV[1]
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION sec.refuse_identity() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'rows of % keep their identity and what they belong to: they are neither deleted nor moved', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;

REVOKE EXECUTE ON FUNCTION sec.parents_exist(), sec.refuse_identity() FROM PUBLIC;
