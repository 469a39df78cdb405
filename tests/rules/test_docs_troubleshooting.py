"""docs/TROUBLESHOOTING.md and its Spanish twin explain every error; the links of all pages lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from service.errors import DatabaseUnusable, Problem

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [DOCS / "TROUBLESHOOTING.md", DOCS / "es" / "TROUBLESHOOTING.md"]
ALL_PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *DOCS.rglob("*.md")])


def problem_classes(base: type[Problem] = Problem) -> list[type[Problem]]:
    """The base and every error of the service below it, wherever it is defined."""
    below = [problem for kind in base.__subclasses__() for problem in problem_classes(kind)]
    return [base, *(problem for problem in below if problem.__module__.startswith("service."))]


def explained(page: Path) -> list[tuple[str, str]]:
    """Status and code of each row of the table."""
    return re.findall(r"^\| (\d{3}) \| `(\w+)` \|", page.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=["en", "es"])
def test_every_error_is_explained(page: Path) -> None:
    codes = {(str(problem.status), problem.code) for problem in problem_classes()}
    assert (str(DatabaseUnusable.status), DatabaseUnusable.code) in codes
    assert codes - set(explained(page)) == set()


def test_both_languages_explain_the_same() -> None:
    english, spanish = PAGES
    assert explained(english) == explained(spanish)
    assert len(headings(english)) == len(headings(spanish))


@pytest.mark.parametrize("page", ALL_PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#\s]*)(#[^)\s]+)?\)", page.read_text(encoding="utf-8"))
    targets = [((page.parent / path if path else page), anchor) for path, anchor in links]
    missing = [f"{path}{anchor}" for path, anchor in targets if not path.exists()]
    missing += [
        f"{path}{anchor}" for path, anchor in targets if anchor and path.exists() and anchor[1:] not in anchors(path)
    ]
    assert missing == []


def headings(page: Path) -> list[str]:
    without_code = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"^#+ (.+)$", without_code, re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """As GitHub makes them of headings: lower case, punctuation dropped, blanks to hyphens."""
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings(page)}
