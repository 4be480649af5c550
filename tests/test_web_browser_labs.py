"""Lab results in a real Chromium: handed in, shown as a table anybody can read, asked about."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from browser import CHROMIUM
from browser_fixtures import Watch, browsing, context, portraits, serving
from lab_fixtures import NEEDLES, table

RESULTS = table(
    "Patient;JANE ROE;;",
    "Haemoglobin;11.2;g/dL;12.0-15.5",
    "Potassium;4.20;mmol/L;3.5-5.1",
    "Platelets;clumped Roe;10*3/uL;150-400",
    "Sodium;118;mmol/L;135-145",
    "HDL cholesterol;61;mg/dL;> 40",
)


def test_somebody_hands_results_in_and_reads_them(tmp_path: Path) -> None:
    if not CHROMIUM:
        pytest.fail("this test needs Debian's chromium")
    report = tmp_path / "results.csv"
    report.write_bytes(RESULTS)
    with serving(tmp_path / "house", "--open") as site, browsing() as browser:
        watch = Watch(origin=site.url)
        here = context(browser)
        page = watch.follow(here.new_page())
        page.goto(f"{site.url}/open/{site.code}")
        page.get_by_label("Read my images").check()
        page.locator("input[data-files]").first.set_input_files(report)
        page.get_by_role("button", name="Give these files").click()
        expect(page).to_have_url(re.compile("/submissions/[0-9a-f]+$"))
        heading = page.get_by_role("heading", level=1)
        expect(heading).to_have_text("Your name is off", timeout=90_000)
        watch.check(page)
        page.get_by_role("link", name="See what can be said").click()
        results = page.get_by_role("table", name=re.compile("results were read"))
        low = results.get_by_role("row", name=re.compile("^Haemoglobin"))
        expect(low).to_contain_text("below the range")
        expect(low).to_contain_text("12\N{EN DASH}15.5")
        expect(low.locator("svg .out")).to_have_count(1)
        inside = results.get_by_role("row", name=re.compile("^Potassium"))
        expect(inside).to_contain_text("4.20 mmol/L")
        expect(inside.locator("svg .dot")).to_have_count(1)
        expect(page.get_by_role("alert")).to_contain_text("Sodium is 118 mmol/L")
        expect(page.get_by_text("1 line was not read")).to_be_visible()
        assert not [needle for needle in NEEDLES if needle in page.content()]
        watch.check(page)
        portraits(page, "labs")
        page.get_by_label("Your question").fill("Is my haemoglobin low?")
        page.get_by_role("button", name="Ask", exact=True).click()
        expect(page.locator("article")).to_contain_text("Haemoglobin is 11.2 g/dL, below")
        watch.check(page)
        here.close()
        assert watch.problems == []
