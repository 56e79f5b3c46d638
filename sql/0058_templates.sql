-- What projects can begin with: a table of the administrator (fsactl template), from which owners choose when they
-- create a project. It says what the request leaves out; nothing refers to it later.
CREATE TABLE templates (
    name text PRIMARY KEY CHECK (name ~ '^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$'),
    description text NOT NULL CHECK (length(description) <= 200),
    image text, -- as sandboxes.chosen_image; NULL: the site's default
    size text,  -- as sandboxes.size
    -- Private ones that are open from the beginning.
    ports integer[] NOT NULL CHECK (cardinality(ports) <= 8 AND 1 <= ALL (ports) AND 65535 >= ALL (ports)
        AND NOT ports && '{3000,7681}'),
    variables jsonb NOT NULL CHECK (jsonb_typeof(variables) = 'object') -- name to value; nothing secret
);
GRANT SELECT ON templates TO fsa_api;
