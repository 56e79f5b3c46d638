-- Images that a site offers for sandboxes besides its default (runtime_image): a table of the administrator (fsactl
-- image), from which owners choose. As with sizes (0035), what is chosen is copied into the sandbox's row, so an image
-- that is changed or removed later changes no sandbox.
CREATE TABLE images (
    name text PRIMARY KEY CHECK (name ~ '^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$'),
    description text NOT NULL CHECK (length(description) <= 200),
    reference text NOT NULL CHECK (length(reference) BETWEEN 1 AND 512),
    -- Whether terminal and sandboxd are in it already, as in what `runtime/build sandbox` makes.
    complete boolean NOT NULL,
    -- The user that it runs as; NULL: the one that the image names.
    run_as integer CHECK (run_as BETWEEN 1 AND 2147483647)
);
GRANT SELECT ON images TO fsa_api;

ALTER TABLE sandboxes
    ADD COLUMN chosen_image text,          -- NULL: what fsa.conf says of new sandboxes
    ADD COLUMN tools_image text,           -- brings terminal and sandboxd; NULL: they are in the image
    ADD COLUMN run_as integer DEFAULT 1000;
GRANT INSERT (chosen_image), UPDATE (chosen_image) ON sandboxes TO fsa_api;

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

-- Runs after the trigger `complete`: triggers run in the order of their names.
CREATE FUNCTION apply_image() RETURNS trigger
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
CREATE TRIGGER imaged BEFORE INSERT OR UPDATE OF chosen_image ON sandboxes
    FOR EACH ROW EXECUTE FUNCTION apply_image();
