"""What browsers are sent: every file named and there, nothing inline, nothing from elsewhere."""

import html
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from safelight.web.models import ErrorPage, Me, Problem
from safelight.web.render import _environment

WEB = Path(__file__).parents[1] / "src" / "safelight" / "web"
STATIC = WEB / "static"
TEMPLATES = sorted((WEB / "templates").glob("*.html"))
HOSTILE = (
    "<img src=x onerror=alert(1)>",
    '" autofocus onfocus="alert(1)',
    "100 % of 5%(x)s & {{ 7 * 7 }}",
    "</script><script>alert(1)</script>",
)


def test_the_files_are_those_that_pages_name() -> None:
    named = re.findall(r'"/static/([^"]+)"', (WEB / "templates" / "_assets.html").read_text())
    assert sorted(named) == sorted(path.name for path in STATIC.iterdir())
    assert len(named) == 5


def test_files_are_small_and_lead_nowhere_else() -> None:
    assert sum(path.stat().st_size for path in STATIC.iterdir()) < 120_000
    for path in STATIC.iterdir():
        text = path.read_text("utf-8")
        assert "sourceMappingURL" not in text
        away = set(re.findall(r"https?://[^\s\"'`)]+", text)) - {"http://www.w3.org/2000/svg"}
        assert {one for one in away if path.name.startswith("htmx") is False} == set()


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_template_holds_nothing_that_the_policy_forbids(path: Path) -> None:
    text = path.read_text("utf-8")
    assert not re.search(r"<style|\sstyle=|javascript:|\son[a-z]+=", text)
    for tag in re.findall(r"<script[^>]*>", text):
        assert re.search(r'\ssrc="\{\{ assets\.\w+ \}\}"', tag)
    assert not re.search(r"(?:src|href|action)=\"https?:", text)
    assert "|safe" not in text


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("language", ["en", "de"])
def test_what_programs_say_is_never_taken_for_markup(text: str, language: str) -> None:
    problem = Problem(code="x", what=text, place=text, kept=text, todo=text)
    page = ErrorPage(status=400, problem=problem)
    made = _environment(language).get_template("error.html")
    told = made.render(page=page, me=Me(language=language, name=text, signed_in=True), path=text)
    seen = Tags()
    seen.feed(told)
    assert {
        name for _tag, name in seen.found if name.startswith("on") or name == "autofocus"
    } == set()
    assert [tag for tag, name in seen.found if tag in {"script", "img"} and name == "src"] == [
        "script",
        "img",
    ]
    assert html.unescape(told).count(text) >= 4  # it is told, as text


class Tags(HTMLParser):
    """Gathers each tag with the name of each of its attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [(tag, name) for name, _value in attrs]
