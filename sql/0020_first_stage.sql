-- A project without a database does not wait for one: its first stage is the container.
CREATE FUNCTION first_stage(project uuid) RETURNS stage
LANGUAGE sql STABLE
RETURN CASE
    WHEN EXISTS (SELECT FROM resources WHERE project_id = project AND kind = 'DATABASE')
    THEN 'database'::stage
    ELSE 'container'::stage
END;
GRANT INSERT (stage) ON resources TO fsa_api;

UPDATE resources r SET stage = 'container'
    WHERE kind = 'SANDBOX' AND stage = 'database' AND first_stage(r.project_id) = 'container';
