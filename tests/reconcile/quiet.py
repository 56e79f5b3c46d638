"""For tests in which nothing happens by itself: the next resync is ten minutes away, so every result follows from a
request or from resync()."""

import contextlib

SITE_OPTIONS = {"resync": "10m"}


def sql(site, statement, *values):
    with contextlib.closing(site.connect()) as db, db, db.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else None


def resync(site, project, kind=None):
    """Makes rows due, as time does; kind None: all of the project's."""
    sql(site, "UPDATE resources SET due_at = now() WHERE project_id = %s"
        " AND kind = coalesce(%s, kind::text)::resource_kind", project.id, kind)


def uid(thing):
    """Returns the UID of an object, or None if there is none."""
    return thing and thing["metadata"]["uid"]
