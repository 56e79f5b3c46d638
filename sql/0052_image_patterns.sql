-- Images that owners may choose freely, by their references: those that begin like one of the administrator's patterns
-- (fsactl image allow), which end with '*'. As those of the table of images, they get terminal and sandboxd.
CREATE TABLE image_patterns (
    pattern text PRIMARY KEY CHECK (length(pattern) <= 256 AND pattern ~ '^[A-Za-z0-9][A-Za-z0-9._:/-]*[/:][*]$')
);
GRANT SELECT ON image_patterns TO fsa_api;

CREATE FUNCTION is_allowed_image(reference text) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN length(reference) <= 512
    AND reference ~ ('^([A-Za-z0-9.-]+(:[0-9]+)?/)?[a-z0-9]+([._-]+[a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)*'
        || '(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@[a-z0-9]+:[0-9a-f]{32,128})?$')
    AND EXISTS (SELECT FROM public.image_patterns p WHERE starts_with(reference, rtrim(p.pattern, '*')));

-- As in 0049, with images that are chosen by their references.
CREATE OR REPLACE FUNCTION apply_image() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    chosen public.images;
BEGIN
    IF NEW.chosen_image IS NOT NULL THEN
        SELECT * INTO chosen FROM public.images i WHERE i.name = NEW.chosen_image;
        IF FOUND THEN
            NEW.image := chosen.reference;
            NEW.run_as := chosen.run_as;
            NEW.tools_image := CASE WHEN NOT chosen.complete THEN public.operator_option('tools_image') END;
        ELSIF public.is_allowed_image(NEW.chosen_image) THEN
            NEW.image := NEW.chosen_image;
            NEW.run_as := 1000;
            NEW.tools_image := public.operator_option('tools_image');
        ELSE
            RAISE foreign_key_violation USING MESSAGE = 'there is no such image', CONSTRAINT = 'sandboxes_image';
        END IF;
    ELSIF TG_OP = 'UPDATE' THEN
        NEW.image := public.operator_option('runtime_image');
        NEW.run_as := 1000;
        NEW.tools_image := NULL;
    END IF;
    RETURN NEW;
END
$$;
