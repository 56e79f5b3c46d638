"""Finds the statements that api.fcgi sends for a request, in PostgreSQL's log.

The floors run these statements, so they always match what the program really does.
"""

import contextlib
import re
import time
from typing import NamedTuple

from load import BenchError

_EXECUTE = re.compile(r" LOG:  execute [^:]+: (.*)$")
_STATEMENT = re.compile(r" LOG:  statement: (.*)$")
_DETAIL = re.compile(r" DETAIL:  parameters: (.*)$")
_PARAMETER = re.compile(r"\$\d+ = (?:'((?:[^']|'')*)'|NULL)")


class Statement(NamedTuple):
    sql: str
    words: tuple  # one for each parameter: "hash", "user", "project", or a value

    def lines(self):
        """Returns the statement in the form that bare_fcgi reads."""
        return f"{self.sql}\n{' '.join(word or 'empty' for word in self.words)}\n"

    def pgbench(self, suffix):
        """Returns the statement with pgbench variables for the parameters that depend on the sample."""

        def replace(match):
            word = self.words[int(match[1]) - 1]
            return f":{word}{suffix}" if word in ("hash", "user", "project") else f"'{word}'"

        return re.sub(r"\$(\d+)", replace, self.sql)


def capture(site, sample, send):
    """Returns the statements of the request that send() makes for this sample, once caches are warm."""
    with _logged(site):
        site.restart()
        for _ in range(10 * site.workers):  # so that each worker has connected
            send()
        begin = site.log.stat().st_size
        send()
        time.sleep(0.2)
        with open(site.log) as log:
            log.seek(begin)
            lines = log.read()
    site.restart()
    found = list(parse(lines, {value: name for name, value in sample.values().items()}))
    if not found:
        raise BenchError(f"no statement in {site.log}")
    return found


@contextlib.contextmanager
def _logged(site):
    setting = f'ALTER ROLE fsa_api IN DATABASE "{site.database}"'
    with site.cursor() as cursor:
        cursor.execute(f"{setting} SET log_statement = 'all'")
        try:
            yield
        finally:
            cursor.execute(f"{setting} RESET log_statement")


def parse(text, names):
    """Parses the statements in a log; replaces values of the sample by their names."""
    sql = None
    for line in re.sub(r"\n\t\s*", " ", text).splitlines():
        match = _EXECUTE.search(line) or _STATEMENT.search(line)
        if match:
            if sql:
                yield Statement(sql, ())
            sql = match[1]
        elif sql and _DETAIL.search(line):
            values = _PARAMETER.findall(_DETAIL.search(line)[1])
            yield Statement(sql, tuple(names.get(value, value) for value in values))
            sql = None
    if sql:
        yield Statement(sql, ())
