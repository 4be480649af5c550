"""Ways through pages that tests of a browser share."""

from playwright.sync_api import Page, expect

from browser_fixtures import Watch

__all__ = ["scrolled"]


def scrolled(page: Page, watch: Watch) -> None:
    """Scroll a series as one stack; what is on the canvas is what the server would draw."""
    # Files arrive several at a time; a series stands by its numbers, whichever came first.
    page.get_by_role("link", name="slice1.dcm").click()
    expect(page.locator("safelight-viewer.ready")).to_be_visible()
    stage = page.locator(".stage")
    stage.focus()
    windows(page)
    canvas = page.locator("canvas.layer")
    drawn, _ = page.evaluate(_COMPARED)
    page.keyboard.press("i")
    page.wait_for_timeout(100)
    turned, _ = page.evaluate(_COMPARED)
    assert turned == [255 - one for one in drawn]
    page.keyboard.press("+")
    page.keyboard.press("+")
    before = canvas.bounding_box()
    page.keyboard.press("ArrowRight")
    after = canvas.bounding_box()
    assert before is not None
    assert after is not None
    assert after["x"] < before["x"]
    page.keyboard.press("0")
    box = stage.bounding_box()
    assert box is not None
    page.get_by_role("button", name="Draw a cover").click()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2 + 60, box["y"] + box["height"] / 2 + 40, steps=3)
    page.mouse.up()
    expect(page.locator(".mask")).to_have_count(1)
    expect(page.get_by_role("button", name="Save the covers")).to_be_enabled()
    page.keyboard.press("Delete")
    expect(page.locator(".mask")).to_have_count(0)
    watch.check(page)


def windows(page: Page) -> None:
    """Go through a series: each picture through its own window, until somebody sets one."""
    canvas = page.locator("canvas.layer")
    for number in (2, 3):  # each through its own window
        page.keyboard.press("ArrowDown")
        expect(page.locator(".viewer output")).to_have_text(f"{number} / 3")
        expect(canvas).to_be_visible()
        page.wait_for_timeout(100)
        drawn, wanted = page.evaluate(_COMPARED)
        assert len(drawn) == 128 * 128
        assert drawn == wanted
        assert len(set(drawn)) > 50
    own = page.evaluate(_WINDOW)
    page.keyboard.press("]")
    page.wait_for_timeout(100)
    chosen = page.evaluate(_WINDOW)
    assert chosen != own
    page.keyboard.press("ArrowUp")
    expect(page.locator(".viewer output")).to_have_text("2 / 3")
    page.wait_for_timeout(100)
    assert page.evaluate(_WINDOW) == chosen  # what somebody chose stays
    page.keyboard.press("ArrowDown")
    page.keyboard.press("0")
    page.wait_for_timeout(100)
    assert page.evaluate(_WINDOW) == own


_COMPARED = """
async () => {
  const canvas = document.querySelector("canvas.layer");
  const pixels = (source, width, height) => {
    const made = new OffscreenCanvas(width, height).getContext("2d");
    made.drawImage(source, 0, 0);
    return [...made.getImageData(0, 0, width, height).data].filter((_, at) => at % 4 === 0);
  };
  const here = pixels(canvas, canvas.width, canvas.height);
  const config = JSON.parse(document.querySelector("safelight-viewer").dataset.config);
  const { item, frame } = document.querySelector("safelight-viewer").place();
  const address = config.png.replace("{n}", item).replace("{f}", frame);
  const told = await createImageBitmap(await (await fetch(address)).blob());
  return [here, pixels(told, told.width, told.height)];
}
"""


_WINDOW = "[...document.querySelectorAll('.contrast input')].map((one) => Number(one.value))"
