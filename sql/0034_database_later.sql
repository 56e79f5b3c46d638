-- A database may be added to a project later, and removed before the project is. One that is to go is waited for
-- by no sandbox: otherwise as first_stage() of 0020.
CREATE OR REPLACE FUNCTION first_stage(project uuid) RETURNS stage
LANGUAGE sql STABLE
RETURN CASE
    WHEN EXISTS (SELECT FROM resources
                 WHERE project_id = project AND kind = 'DATABASE' AND desired <> 'GONE')
    THEN 'database'::stage
    ELSE 'container'::stage
END;
