"""A head before and after in a real Chromium: turned by hand, keys, slider and buttons."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from browser import CHROMIUM
from browser_fixtures import Site, Watch, browsing, context, portraits, serving
from safelight.deid.faces.turning import VIEWS
from test_web_heads import volume

SLOW = 120_000  # milliseconds: two cores may be busy with other tests


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with serving(tmp_path_factory.mktemp("served"), "--open") as made:
        yield made


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing() as made:
        yield made


@pytest.fixture(scope="module")
def given(
    site: Site, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, dict[str, object]]:
    """Hand a head in; return the address of its page, and the cookies of its owner."""
    here = context(browser)
    page = here.new_page()
    page.goto(f"{site.url}/open/{site.code}")
    page.get_by_label("Read my images").check()
    path = volume(tmp_path_factory.mktemp("head") / "head.nii")
    page.locator("input[data-files]").first.set_input_files(path)
    page.get_by_role("button", name="Give these files").click()
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text("Your name is off", timeout=SLOW)
    state = dict(here.storage_state())
    address = f"{page.url}/items/0"
    here.close()
    return address, state


def opened(browser: Browser, state: dict[str, object], address: str, **more: Any) -> Page:
    page = context(browser, storage_state=state, **more).new_page()
    page.set_viewport_size({"width": 1280, "height": 1000})
    page.goto(address)
    return page


def view(page: Page) -> int:
    return int(page.evaluate("document.querySelector('safelight-head').view"))


def drawn(page: Page) -> list[str]:
    return list(
        page.evaluate(
            "[...document.querySelectorAll('.heads canvas')].map((one) => one.toDataURL())"
        )
    )


def test_a_head_is_turned_before_and_after_together(
    site: Site, browser: Browser, given: tuple[str, dict[str, object]]
) -> None:
    watch = Watch(origin=site.url)
    address, state = given
    page = context(browser, storage_state=state).new_page()
    page.set_viewport_size({"width": 1280, "height": 1000})
    asked: list[str] = []
    page.on("request", lambda one: asked.append(one.url))
    watch.follow(page).goto(address)
    heads = page.locator(".heads").first
    heads.scroll_into_view_if_needed()
    expect(page.locator("safelight-head.ready")).to_be_visible()
    assert not any(one.endswith(("head/after.jpg", "head/before.jpg")) for one in asked)
    heads.focus()
    page.keyboard.press("ArrowRight")
    expect(heads.locator("canvas")).to_have_count(2)
    expect(heads.locator("canvas").first).to_be_visible(timeout=SLOW)
    assert view(page) == 1
    first = drawn(page)
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert view(page) == VIEWS - 1  # all the way round
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    second = drawn(page)
    assert all(one != other for one, other in zip(first, second, strict=True))
    slider = page.get_by_role("slider", name="Turn")
    expect(slider).to_have_attribute("aria-valuetext", "Turned by 30 degrees")
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert view(page) == 4
    page.get_by_role("button", name="Turn to the left").click()
    assert view(page) == 3
    by_hand(page)
    watch.check(page)
    portraits(page, "head")
    page.get_by_role("button", name="Keep turning").click()
    before = view(page)
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    page.wait_for_timeout(700)
    page.get_by_role("button", name="Stop").click()
    assert view(page) != before
    rests = view(page)
    page.wait_for_timeout(400)
    assert view(page) == rests
    page.context.close()
    assert watch.problems == []


def by_hand(page: Page) -> None:
    """Drag with the mouse, then with a finger."""
    box = page.locator(".heads canvas").first.bounding_box()
    assert box is not None
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    start = view(page)
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] - 60, middle[1], steps=4)
    page.mouse.up()
    assert view(page) == start + 5
    page.mouse.move(middle[0] + 60, middle[1])  # nobody holds it now
    assert view(page) == start + 5
    line = page.context.new_cdp_session(page)
    for kind, across in (("touchStart", 0), ("touchMove", 40), ("touchMove", 61), ("touchEnd", 0)):
        points = [{"x": middle[0] + across, "y": middle[1]}] if kind != "touchEnd" else []
        line.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    assert view(page) == start


def test_less_motion_is_respected_and_no_script_is_needed(
    browser: Browser, given: tuple[str, dict[str, object]]
) -> None:
    address, state = given
    page = opened(browser, state, address, reduced_motion="reduce")
    expect(page.locator("safelight-head.ready")).to_be_visible()
    assert page.get_by_role("button", name="Keep turning").count() == 0
    page.get_by_role("button", name="Turn to the right").click()
    expect(page.locator(".heads canvas").first).to_be_visible(timeout=SLOW)
    page.context.close()
    page = opened(browser, state, address, java_script_enabled=False)
    stills = page.locator("safelight-head img")
    expect(stills).to_have_count(8)
    for at in range(8):
        stills.nth(at).scroll_into_view_if_needed()
        expect(stills.nth(at)).to_be_visible()
        expect(stills.nth(at)).to_have_js_property("complete", value=True)
        assert stills.nth(at).evaluate("one => one.naturalWidth") > 100
    page.context.close()


if not CHROMIUM:  # the head of the report says when there is none
    for _name in [one for one in globals() if one.startswith("test_")]:
        del globals()[_name]
