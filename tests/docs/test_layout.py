"""Checks how the sources are laid out, where the linker cannot check it."""

import graphlib
import re
import statistics
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
KINDS = re.findall(r"RESOURCE_(?!KIND_COUNT)\w+",
                   re.search(r"enum resource_kind \{(.*?)\}", (ROOT / "src/domain/types.h").read_text()).group(1))


SOURCES = sorted(path for folder in ("src/*", "cli", "cgi-bin/*", "runtime/*", "kubesim", "man", "tests/*")
                 for path in ROOT.glob(f"{folder}/*.[ch]"))


def test_a_comment_ends_on_the_line_of_its_last_word():
    """If the last line is full, clang-format moves the end mark to a line of its own: shorten the comment."""
    alone = [f"{path.relative_to(ROOT)}:{number}" for path in SOURCES
             for number, line in enumerate(path.read_text().splitlines(), 1)
             if re.match(r"\s*/\*\s*\S(?!.*\*/)", line) and ends_alone(path, number)]
    assert alone == []


def ends_alone(path, number):
    """Whether the comment that begins on this line ends on a line that has only the end mark."""
    following = path.read_text().splitlines()[number:]
    return next((line.strip() == "*/" for line in following if "*/" in line), False)


PROGRAMS = [path for path in SOURCES if path.parts[len(ROOT.parts)] != "tests"]
MEDIAN, LONGEST, FILE = 15, 60, 600  # lines


def test_no_two_test_files_have_one_name():
    """pytest cannot tell modules with the same name apart."""
    names = sorted(path.name for path in (ROOT / "tests").rglob("test_*.py"))
    assert [name for name, next_ in zip(names, names[1:]) if name == next_] == []


def functions(path):
    """Yields (number of lines, first line) of each function in a file, including its head."""
    lines = path.read_text().splitlines()
    for end in (number for number, line in enumerate(lines) if line == "}"):
        begin = next((n for n in range(end, -1, -1) if lines[n] == "{"), None)
        head = next((n for n in range(begin or 0, 0, -1) if not lines[n - 1] or lines[n - 1][0] in "#}/ "
                     or lines[n - 1].endswith((";", "*/"))), None)
        if begin and head is not None:
            yield end - head + 1, lines[head]


@pytest.mark.parametrize("folder", ["src", "cli", "cgi-bin", "runtime", "kubesim"])
def test_functions_fit_on_a_screen(folder):
    found = sorted(function for path in PROGRAMS if path.is_relative_to(ROOT / folder) and path.suffix == ".c"
                   for function in functions(path))
    assert len(found) > 100
    assert [function for function in found if function[0] > LONGEST] == []
    assert statistics.median(length for length, _ in found) <= MEDIAN


def test_a_file_is_one_idea():
    assert [path.relative_to(ROOT) for path in PROGRAMS if len(path.read_text().splitlines()) > FILE] == []


def test_a_section_begins_with_a_line_of_its_own():
    """The form is: /* ---- name ---- */"""
    broken = [f"{path.relative_to(ROOT)}:{number}" for path in SOURCES
              for number, line in enumerate(path.read_text().splitlines(), 1)
              if re.match(r"\s*/\* ?--", line) and not re.fullmatch(r"\s*/\* ---- \S.* -{2,} \*/", line)]
    assert broken == []


@pytest.mark.parametrize("layer", ["kube", "manifest", "reconcile", "ctl"])
def test_only_the_table_asks_which_kind_a_row_is_of(layer):
    """What differs between kinds of resources is a member of struct kind; see docs/extending.md."""
    asking = {path.name for path in (ROOT / "src" / layer).glob("*.[ch]")
              for line in path.read_text().splitlines()
              if any(re.search(rf"\b{kind}\b", line) for kind in KINDS)}
    assert len(KINDS) > 1
    assert asking == ({"kind.c"} if layer == "reconcile" else set())


def symbols(path):
    """Returns the symbols that an object file defines, and those that it uses."""
    lines = subprocess.run(["nm", "--format=posix", path], check=True, capture_output=True,
                           text=True).stdout.splitlines()
    kinds = [(line.split()[0], line.split()[1]) for line in lines]
    return {name for name, kind in kinds if kind in "TDBR"}, {name for name, kind in kinds if kind == "U"}


# In these layers, a table (of options, of commands) names functions that read the table.
TABLES = {"base", "ctl"}


@pytest.mark.parametrize("layer", sorted({p.parent.name for p in ROOT.glob("src/*/sources.am")} - TABLES))
def test_no_two_files_of_a_layer_need_each_other(build, layer):
    # An older build may have left objects whose sources no longer exist.
    files = {path: symbols(path) for path in (build / "src" / layer).glob("*.o")
             if (ROOT / "src" / layer / f"{path.stem}.c").exists()}
    needs = {path.stem: {other.stem for other, (defined, _) in files.items()
                         if other != path and defined & used}
             for path, (_, used) in files.items()}
    assert len(needs) > 1
    graphlib.TopologicalSorter(needs).prepare()  # the CycleError names them


def test_each_prepared_statement_has_a_name_of_its_own():
    """Two with the same name would sooner or later meet on a connection, and the second be refused (db/db.h)."""
    names = []
    for folder in ("src", "cgi-bin"):
        for file in sorted((ROOT / folder).rglob("*.c")):
            for table in re.findall(r"struct db_statement \w+(?:\[\])? = \{(.*?)\n\};|"
                                    r"struct db_statement \w+ = \{(.*?)\};", file.read_text(), re.S):
                names += re.findall(r'(?:^|\[\w+\] =\s*\{|\n\s*\{)\s*"(\w+)",', "".join(table))
    assert len(names) > 100
    assert {name for name in names if names.count(name) > 1} == set()
