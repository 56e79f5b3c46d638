"""Compares documents and manual pages with what they describe: links, commands, options, codes."""

import json
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([ROOT / "README.md", *ROOT.glob("docs/*.md"), *ROOT.glob("tools/*/README.md")])
PAGES = sorted([*ROOT.glob("man/*.[1-8]"), ROOT / "man/fsa.conf.5.in"])


def name(path):
    return str(path.relative_to(ROOT))


def source():
    """Returns the source text of all programs."""
    files = [path for folder in ("src", "cgi-bin", "cli") for path in (ROOT / folder).rglob("*.[ch]")]
    return "".join(path.read_text() for path in files)


def installed():
    """Returns the names of the programs that `make install` installs, from the Makefile."""
    text = (ROOT / "Makefile.am").read_text().replace("\\\n", " ")
    lists = re.findall(r"^(sbin|bin|pkglibexec|programs)_(?:PROGRAMS|SCRIPTS) \+?=(.*)$", text, re.M)
    return sorted({Path(word).name for _, words in lists for word in words.split()})


def page_of(program):
    """Returns its manual page: section 1 for users of a site, 8 for its operator."""
    return next((page for page in (ROOT / f"man/{program}.{n}" for n in (1, 8)) if page.exists()), None)


# ---- documents ----------------------------------------------------------------------------------


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_links_lead_somewhere(document):
    text = document.read_text()
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text)
    missing = [t for t in targets if "://" not in t and not (document.parent / t).exists()]
    assert missing == []


def test_every_document_is_reached_from_the_readme():
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        document = waiting.pop()
        if document in reached:
            continue
        reached.add(document)
        for target in re.findall(r"\]\(([^)#\s]+\.md)(?:#[^)]*)?\)", document.read_text()):
            waiting.append((document.parent / target).resolve())
    assert {name(d) for d in ROOT.glob("docs/*.md")} <= {name(d) for d in reached}


def test_each_action_of_the_audit_has_words_in_the_console():
    words = (ROOT / "web/src/views/account/activity.jsx").read_text()
    routes = "".join(path.read_text() for path in ROOT.glob("cgi-bin/*/routes.c"))
    handlers = "".join(path.read_text() for path in ROOT.glob("cgi-bin/*/*.c"))
    actions = {*re.findall(r'"([a-z]+(?:\.[a-z]+)+)"', re.sub(r"#include.*", "", routes)),
               *re.findall(r'call_audit\(\w+, "([^"]+)"', handlers)}
    assert len(actions) > 30
    assert set(re.findall(r'"([a-z]+(?:\.[a-z]+)+)":', words)) == actions


def test_codes_that_are_explained_exist():
    text = (ROOT / "docs/troubleshooting.md").read_text()
    codes = set(re.findall(r"`([A-Z][A-Z_]{4,})`", text))
    codes |= set(re.findall(r"`([A-Z][a-z]+(?:[A-Z][a-zA-Z]*)+)`", text))
    known = source()
    assert [code for code in sorted(codes) if f'"{code}"' not in known] == []
    assert len(codes) > 10


# ---- fsactl -------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def commands(build):
    """Returns command → options, as fsactl prints its table."""
    done = subprocess.run([build / "fsactl", "--commands"], capture_output=True, text=True,
                          check=True)
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    return {command: {o.rstrip("=") for o in options.split()} for command, options, _ in rows}


def mentioned(text):
    """Yields (words, options) of each `fsactl …` in a text."""
    for call in re.findall(r"\bfsactl((?: +(?:--[a-z-]+|[a-zA-Z.|]+))+)", text):
        words = call.split()
        yield [w for w in words if not w.startswith("--")], {w for w in words if w.startswith("--")}


@pytest.mark.parametrize("path", [*DOCUMENTS, *PAGES, *ROOT.glob("src/ctl/*.c"),
                                  *ROOT.glob("monitoring/*"), *ROOT.glob("systemd/*.in")],
                         ids=name)
def test_commands_that_are_named_exist(path, commands):
    if not path.is_file():
        pytest.skip("a folder")
    families = {command.split()[0] for command in commands if " " in command}
    wrong = []
    for words, options in mentioned(path.read_text()):
        first = words[0] if words else ""
        if first in families and len(words) == 1 and options <= {"--help"}:
            continue  # "fsactl user …"
        command = " ".join(words[:2]) if first in families else first
        if first in families or first in commands:
            if command not in commands or not options - {"--config", "--help"} <= commands[command]:
                wrong.append((words, options))
    assert wrong == []


# ---- manual pages -------------------------------------------------------------------------------


def test_every_installed_program_has_a_page():
    assert installed() != []
    assert [p for p in installed() if page_of(p) is None] == []


def finished(page, build):
    """Returns the path of the page as it is installed."""
    return build / "man" / page.stem if page.suffix == ".in" else page


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_a_page_is_well_formed(page, build):
    done = subprocess.run(["groff", "-Kutf8", "-mandoc", "-Tutf8", "-ww", "-z", finished(page, build)],
                          cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0
    # A page that only includes another (".so man8/…") is resolved by man(1), not here.
    assert [line for line in done.stderr.splitlines() if "can't open 'man" not in line] == []


def whole(page):
    """Returns the text of a page, or of the page that it includes."""
    text = page.read_text()
    included = re.match(r"\.so man\d/(\S+)", text)
    return (page.parent / included[1]).read_text() if included else text


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_pages_refer_to_pages_that_exist(page):
    ours = re.findall(r"^\.Xr ((?:fsa|api\.fcgi|auth\.fcgi|fullstack)[\w.-]*) (\d)", whole(page),
                      re.M)
    pages = {page.name.removesuffix(".in") for page in PAGES}
    assert [ref for ref in ours if f"{ref[0]}.{ref[1]}" not in pages] == []


@pytest.mark.parametrize("program", [p for p in installed() if p not in ("fsa", "fsactl", "fsa-setup")])
def test_a_page_has_the_options_of_its_program(program, build):
    text = subprocess.run([build / program, "--help"], capture_output=True, text=True,
                          check=True).stdout
    options = set(re.findall(r"--([a-z]+)", text))
    page = whole(ROOT / f"man/{program}.8")
    documented = set(re.findall(r"^\.(?:It |Op )?Fl -([a-z]+)", page, re.M))
    for alternatives in re.findall(r"^\.Fl (-.*)$", page, re.M):
        documented |= set(re.findall(r"-([a-z]+)", alternatives))
    assert documented == options


def test_every_option_is_on_the_page_with_its_default(build):
    done = subprocess.run([build / "fsactl", "--config", "/dev/null", "config", "show", "--json"],
                          capture_output=True, text=True, check=True)
    shown = {row["option"]: row["value"] for row in json.loads(done.stdout)}
    entries = re.findall(r"^\.It Cm (\w+) No = Ar .+\n.+\n(?:Default:\n\.Ql (.+) \.|Default: none\.|Required: .+)$",
                         (build / "man/fsa.conf.5").read_text(), re.M)
    assert {option: default or None for option, default in entries} == shown


# ---- nginx --------------------------------------------------------------------------------------


def test_nginx_names_errors_as_the_programs_do():
    rows = re.findall(r'\[ERR_\w+\] =\s*{\s*"(\w+)",\s*"([^"]+)"', (ROOT / "src/base/err.c").read_text())
    conf = (ROOT / "nginx/fullstack-agent/http.conf").read_text()
    codes, titles = (re.search(rf"^map \S+ \$fsa_{name} {{\n(.*?)^}}", conf, re.M | re.S)[1]
                     for name in ("code", "title"))
    named = dict(re.findall(r'^\t(\w+) "(.+)";$', titles, re.M))
    assert set(re.findall(r"(\w+);$", codes, re.M)) == set(named)
    assert named.items() <= dict(rows).items()


# ---- words --------------------------------------------------------------------------------------

# Invented words for which the field has a term → what to write instead.
RETIRED = {
    r"wish(es|ed)?": "desired, change, request", r"(enum|struct) (seen|told|wish)|SEEN_\w+|sights?": "observed",
    r"status(es)? told|told status": "status", r"PACE_\w+|pace": "requeue",
    r"askers?|lanes?|kube_(lane|turn|room|asker)\w*": "limiter, slot, tenant, budget",
    r"STEER": "what wakes the reconciler", r"the original('s)?": "version 0.4",
    r"for who|of who": "for whoever, or a noun",
}
# Applied migrations cannot change; the other files are not ours, or are about these words.
EXEMPT = ("sql/", "tools/cluster/", "tests/docs/test_docs.py", "package-lock.json")


def tracked():
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT,
                            capture_output=True, text=True)
    files = listed.stdout.splitlines() or [name(p) for p in ROOT.rglob("*") if p.is_file()]
    text = (".c", ".h", ".py", ".js", ".md", ".yaml", ".conf", ".in", ".html", ".txt", ".am", ".ac",
            *(f".{section}" for section in range(1, 9)))
    return [f for f in files if f.endswith(text) and not any(e in f for e in EXEMPT)]


@pytest.mark.parametrize("words", RETIRED, ids=lambda words: words.split("|")[0])
def test_retired_words_stay_away(words):
    pattern = re.compile(rf"\b({words})\b")
    found = [f"{f}:{number}: {match[0]}, write: {RETIRED[words]}"
             for f in tracked() if (ROOT / f).exists()
             for number, line in enumerate((ROOT / f).read_text(errors="replace").splitlines(), 1)
             if (match := pattern.search(line))]
    assert found == []


# ---- the repository -----------------------------------------------------------------------------


def test_no_program_or_archive_is_in_the_repository():
    """tools/check works on a copy of the tracked files, and builds in it."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    files = [ROOT / f for f in listed.stdout.split("\0") if f] or ROOT.rglob("*")
    assert [str(f) for f in files if f.is_file() and
            f.read_bytes().startswith((b"\x7fELF", b"!<arch>"))] == []
