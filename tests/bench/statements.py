"""The statements that api.fcgi sends for a request, as PostgreSQL's log shows them.

The floors run these, so they cannot drift from what the program really does.
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
    words: tuple  # a parameter each: "hash", "user", "project", or a value

    def lines(self):
        """As bare_fcgi reads it."""
        return f"{self.sql}\n{' '.join(word or 'empty' for word in self.words)}\n"

    def pgbench(self, suffix):
        """With variables instead of the parameters that depend on the sample."""

        def replace(match):
            word = self.words[int(match[1]) - 1]
            return f":{word}{suffix}" if word in ("hash", "user", "project") else f"'{word}'"

        return re.sub(r"\$(\d+)", replace, self.sql)


def capture(site, sample, send):
    """What a request sends: `send()` makes it, for that sample, on a program that is warm."""
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
    """Statements of a log; values that are the sample's become their names."""
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
