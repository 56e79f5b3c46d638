-- What `fsactl doctor --record` found last on each host, for the console's administration: api.fcgi sees the findings,
-- and nothing of the files, keys and units that they are about.
CREATE TABLE host_health (
    host       text PRIMARY KEY CHECK (length(host) BETWEEN 1 AND 255),
    checked_at timestamptz NOT NULL DEFAULT now(),
    in_order   integer NOT NULL, -- how many findings there are besides
    findings   jsonb NOT NULL CHECK (jsonb_typeof(findings) = 'array' AND pg_column_size(findings) <= 262144)
);
GRANT SELECT ON host_health TO fsa_api;
