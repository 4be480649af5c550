"""The pages in a real Chromium, from handing in to taking back: with script, without, by keyboard.

One server and one browser serve all of them. Pictures of the screens lie in ``build/screens``.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from browser import CHROMIUM
from browser_fixtures import (
    Site,
    Watch,
    browsing,
    context,
    film,
    portraits,
    serving,
    write_dicom,
)
from browser_walks import scrolled
from safelight.tlog.receipt import verify

NAME, PASSWORD = "keeper", "four words in a row"
SLOW = 180_000  # milliseconds: two cores may be busy with other tests


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with serving(tmp_path_factory.mktemp("served")) as made:
        yield made


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing() as made:
        yield made


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("CD")
    chest = film(1, 480, 400, "DOE JANE")
    made = [write_dicom(folder / "chest.dcm", chest, series=0)]
    slices = [film(number, 128, 128) for number in (5, 6, 7)]
    windows = ((-24, 4000), (500, 1200), (900, 700))  # each slice has its own
    for number, (each, window) in enumerate(zip(slices, windows, strict=True), start=1):
        path = folder / f"slice{number}.dcm"
        made.append(write_dicom(path, each, series=1, number=number, window=window))
    return made


@pytest.fixture(scope="module")
def keeper(site: Site, browser: Browser) -> dict[str, object]:
    """Make the operator's account on the first-run page; return their cookies."""
    watch = Watch(origin=site.url)
    here = context(browser)
    page = watch.follow(here.new_page())
    page.goto(site.url)
    expect(page).to_have_url(re.compile("/first-run$"))
    watch.check(page)
    page.get_by_label("Code from the server").fill(site.code)
    page.get_by_label("Name", exact=True).fill(NAME)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Make the account").click()
    expect(page).to_have_url(re.compile("/steward$"))
    watch.check(page)
    state = dict(here.storage_state())
    here.close()
    assert watch.problems == []
    return state


@pytest.fixture
def link(site: Site, browser: Browser, keeper: dict[str, object]) -> str:
    """Return a one-time link for somebody new."""
    here = context(browser, storage_state=keeper)
    page = here.new_page()
    page.goto(f"{site.url}/steward/people")
    page.get_by_role("button", name="Make a link for a new person").click()
    told = page.locator(".card .code").inner_text()
    here.close()
    return told


def through(page: Page) -> None:
    """Wait until all files of a submission are through."""
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text(re.compile("is off|wait|look first"), timeout=SLOW)


def enter(page: Page, link: str) -> None:
    """Use a one-time link up."""
    page.goto(link)
    page.get_by_role("button", name="Open my page").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("keep your name")


def receipt(page: Page) -> None:
    """Save the receipt that a page offers; it holds, away from the server."""
    with page.expect_download() as coming:
        page.get_by_role("link", name="Save the receipt").click()
    told = verify(coming.value.path().read_bytes())
    assert told.kind == "withdrawal.done"


def withdraw_all(page: Page, site: Site) -> None:
    """Take everything back and watch it to the end."""
    page.goto(f"{site.url}/mine")
    page.get_by_label("Yes, I am sure.").check()
    page.get_by_role("button", name="Take everything back").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("It is gone", timeout=SLOW)


def test_a_person_gives_looks_decides_and_takes_back(
    site: Site, browser: Browser, link: str, files: list[Path]
) -> None:
    watch = Watch(origin=site.url)
    here = context(browser)
    page = watch.follow(here.new_page())
    page.goto(link)
    watch.check(page)
    enter(page, link)
    assert page.get_by_role("checkbox", checked=True).count() == 0  # nothing is agreed to unasked
    page.get_by_label("Read my images").check()
    page.locator("input[data-files]").first.set_input_files(files)
    expect(page.locator("[data-status]")).to_contain_text("4 files")
    watch.check(page)
    portraits(page, "give")
    page.get_by_role("button", name="Give these files").click()
    expect(page).to_have_url(re.compile("/submissions/[0-9a-f]+$"))
    through(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Your name is off")
    watch.check(page)
    address = page.url

    removed(page, watch)
    page.goto(address)
    through(page)  # it was cleaned again after the covers
    scrolled(page, watch)
    page.on("dialog", lambda one: one.accept())  # masks that were not saved
    page.goto(f"{address}/reading")
    reading(page, watch)
    decides(page, site, watch)
    withdraw_all(page, site)
    watch.check(page)
    page.get_by_role("link", name="Your receipt").click()
    watch.check(page)
    receipt(page)
    here.close()
    assert watch.problems == []


def removed(page: Page, watch: Watch) -> None:
    """Compare before and after; cover a place by keyboard; see it cleaned again."""
    page.get_by_role("link", name="chest.dcm").click()
    expect(page.locator("safelight-viewer.ready")).to_be_visible()
    assert "Doe^Jane" in page.locator("table.diff").inner_text()
    page.get_by_role("button", name="Half and half").click()
    slider = page.get_by_role("slider", name="Before and after")
    slider.focus()
    page.keyboard.press("ArrowLeft")
    expect(slider).to_have_value("49")
    page.locator(".before-clip img").evaluate("one => one.decode()")
    watch.check(page)
    portraits(page, "removed")
    before = page.locator(".why > li").count()
    page.locator(".stage").focus()
    page.keyboard.press("m")
    mask = page.locator(".mask:focus")
    start = mask.bounding_box()
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Shift+ArrowRight")
    end = mask.bounding_box()
    assert start is not None
    assert end is not None
    assert end["y"] > start["y"]
    assert end["width"] > start["width"]
    page.get_by_role("button", name="Save the covers").click()
    expect(page.locator(".why > li")).to_have_count(before + 1, timeout=SLOW)
    expect(page.locator("safelight-viewer.ready")).to_be_visible(timeout=SLOW)
    expect(page.locator(".why")).to_contain_text("by hand")
    watch.check(page)


def reading(page: Page, watch: Watch) -> None:
    """See what can be said, and say whether it is right."""
    expect(page.locator(".kind").first).to_be_visible(timeout=SLOW)
    expect(page.locator("#answers [role=status]")).to_have_count(0, timeout=SLOW)
    watch.check(page)
    portraits(page, "reading")
    page.locator(".kind").first.get_by_role("button", name="This needs work").click()
    expect(page.get_by_text("Thank you. We wrote it down.")).to_be_visible()
    page.get_by_role("textbox", name="Your question").fill("Is a bone broken?")
    page.get_by_role("button", name="Ask").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Ask about this reading")
    watch.check(page)


def decides(page: Page, site: Site, watch: Watch) -> None:
    """Say yes to one purpose, and take it back again."""
    page.goto(f"{site.url}/mine")
    page.get_by_role("button", name="Say yes: Teach a computer").click()
    taken = page.get_by_role("button", name="Take back: Teach a computer")
    expect(taken).to_be_visible()
    watch.check(page)
    portraits(page, "mine")
    taken.click()
    expect(page).to_have_url(re.compile("/mine/withdrawals/"))
    expect(page.get_by_role("heading", level=1)).to_have_text("It is gone", timeout=SLOW)
    watch.check(page)
    page.goto(f"{site.url}/mine")
    expect(page.get_by_role("button", name="Say yes: Teach a computer")).to_be_visible()


def test_without_a_script_all_that_is_promised_works(
    site: Site, browser: Browser, link: str, files: list[Path]
) -> None:
    watch = Watch(origin=site.url)
    here = context(browser, java_script_enabled=False)
    page = watch.follow(here.new_page())
    enter(page, link)
    page.get_by_label("Read my images").check()
    page.locator("#files").set_input_files(files[:2])
    page.get_by_role("button", name="Give these files").click()
    expect(page).to_have_url(re.compile("/submissions/[0-9a-f]+$"))
    address = page.url
    through(page)  # the page goes on by itself
    expect(page.get_by_role("heading", level=1)).to_have_text("Your name is off")
    page.get_by_role("link", name="chest.dcm").click()
    picture = page.locator("safelight-viewer > img")
    expect(picture).to_be_visible()
    assert picture.evaluate("one => one.naturalWidth") > 0
    page.goto(f"{address}/reading")
    look_again(page, lambda: bool(page.locator(".kind").count()))
    page.locator(".kind").first.get_by_role("button", name="This is right").click()
    expect(page.get_by_text("Thank you. We wrote it down.")).to_be_visible()
    page.goto(f"{site.url}/mine")
    page.get_by_role("button", name="Say yes: Teach a computer").click()
    expect(page.get_by_role("button", name="Take back: Teach a computer")).to_be_visible()
    withdraw_all(page, site)
    page.get_by_role("link", name="Your receipt").click()
    receipt(page)
    here.close()
    assert watch.problems == []


def look_again(page: Page, done: "object") -> None:
    """Load a page until it says that it is done, as a person without a script would."""
    for _ in range(120):
        if callable(done) and done():
            return
        page.wait_for_timeout(500)
        page.reload()
    raise AssertionError(f"{page.url} never ended")


def test_a_steward_works_the_queue_by_keyboard_alone(
    site: Site, browser: Browser, keeper: dict[str, object], link: str, files: list[Path]
) -> None:
    away = context(browser)
    page = away.new_page()
    enter(page, link)
    page.get_by_label("Read my images").check()
    page.locator("input[data-files]").first.set_input_files(files[1:])
    page.get_by_role("button", name="Give these files").click()
    through(page)
    page.get_by_role("button", name="Something of me is left").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("A person has to look first")
    away.close()

    watch = Watch(origin=site.url)
    here = context(browser, storage_state=keeper)
    page = watch.follow(here.new_page())
    page.goto(f"{site.url}/steward")
    rows = page.locator("[data-queue] a")
    expect(rows).to_have_count(3)
    watch.check(page)
    portraits(page, "steward")
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(rows.nth(1)).to_be_focused()
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/items/[0-9]+"))
    expect(page.locator("safelight-viewer.ready")).to_be_visible()
    watch.check(page)
    with page.expect_navigation():
        page.keyboard.press("r")
    expect(rows).to_have_count(2)
    for to in ("quarantine", "policies", "people", "accounts", "scoreboard", "log", "health"):
        page.goto(f"{site.url}/steward/{to}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        watch.check(page)
    here.close()
    assert watch.problems == []


def test_pages_speak_other_languages_and_errors_are_pages(
    site: Site, browser: Browser, keeper: dict[str, object]
) -> None:
    watch = Watch(origin=site.url)
    here = context(browser, storage_state=keeper)
    page = watch.follow(here.new_page())
    page.goto(f"{site.url}/steward")
    for code, words in (("de", "Nichts wartet|Was auf Sie wartet"), ("es", "Nada|Lo que le")):
        page.locator("#language").select_option(code)
        expect(page.locator("html")).to_have_attribute("lang", code)
        expect(page.locator("main")).to_contain_text(re.compile(words))
        watch.check(page)
    page.goto(f"{site.url}/submissions/{'0' * 32}")
    expect(page.locator("html")).to_have_attribute("lang", "es")
    watch.check(page)
    away = watch.follow(context(browser).new_page())
    away.goto(f"{site.url}/mine")
    expect(away).to_have_url(re.compile(r"/sign-in\?next="))
    watch.check(away)
    away.get_by_label("Name", exact=True).fill(NAME)
    away.get_by_label("Password").fill("not these words at all")
    away.get_by_role("button", name="Sign in", exact=True).click()
    expect(away.get_by_role("alert")).to_contain_text("not right")
    away.context.close()
    here.close()
    told = [one for one in watch.problems if not re.search("status of 40[14]", one)]
    assert told == []


if not CHROMIUM:  # the head of the report says when there is none
    for _name in [one for one in globals() if one.startswith("test_")]:
        del globals()[_name]
