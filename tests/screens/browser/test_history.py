"""History in the browser: found again, looked at whole, taken away; and what stands behind its filter."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, expect

from gui.history.filter import wanted
from gui.history.overview import nice_top
from gui.pictures.heat import heat_layer
from tests.kit.browser import Inspector, by, cut_off, inspector, leave, open_page, speak
from tests.kit.parts import calibrate, disc, encoded, fit, infer, spoiled_disc, wait_until

KEY = "s3cret-key"
PAGE = 24


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inspector]:
    """30 inspections: one NG part among good ones."""
    with inspector(tmp_path_factory.mktemp("history"), {"BACKEND_API_KEY": f"line:{KEY}"}) as made:
        with httpx.Client(base_url=made.service_url, timeout=60, headers={"X-API-Key": KEY}, trust_env=False) as client:
            wait_until(lambda: client.get("/health").json()["status"] == "ok", 60)
            assert fit(client, 6).status_code == 200
            assert calibrate(client).status_code == 200
            for number in range(29):
                assert infer(client, disc(1), part_id=f"P-{number:03}").status_code == 200
            assert infer(client, spoiled_disc(3), part_id="=BAD").json()["verdict"] == "NG"
        yield made


@pytest.mark.system
def test_an_ng_part_is_found_and_shown_whole(used: Inspector, browser: Browser) -> None:
    page = open_page(browser, f"{used.url}/history?view=regions")
    expect(by(page, "total")).to_contain_text("30")
    expect(by(page, "row")).to_have_count(PAGE)
    expect(by(page, "provisional")).to_have_count(PAGE)  # six good parts prove little
    by(page, "pages").get_by_role("button", name="2", exact=True).click()
    expect(by(page, "row")).to_have_count(30 - PAGE)
    by(page, "filter-verdict").click()
    page.get_by_role("option", name="NG").click()
    expect(by(page, "row")).to_have_count(1)
    assert cut_off(page) == []
    assert "verdict=NG" in page.url
    by(page, "row").click()
    expect(by(page, "verdict")).to_contain_text("NG")
    expect(by(page, "verdict")).to_contain_text("PROVISIONAL")
    expect(by(page, "facts")).to_contain_text("Areas found")
    expect(by(page, "facts")).to_contain_text("line")  # the key it was inspected with
    assert by(page, "picture").locator("image").count() == 2
    by(page, "heat").click()
    expect(by(page, "picture").locator("image")).to_have_count(1)
    # each line is drawn twice, dark and light: the shape that was inspected and the region that was found
    expect(by(page, "picture").locator("path")).to_have_count(4)
    speak(page, "es")
    expect(by(page, "facts")).to_contain_text("Áreas encontradas")
    assert cut_off(page) == []
    speak(page, "en")
    expect(by(page, "facts")).to_contain_text("Areas found")
    leave(page)


@pytest.mark.system
def test_a_part_id_narrows_the_list_and_csv_holds_what_the_filter_shows(used: Inspector, browser: Browser) -> None:
    page = open_page(browser, f"{used.url}/history?view=regions")
    by(page, "part").fill("=BAD")
    expect(by(page, "row")).to_have_count(1)
    with page.expect_download() as download:
        by(page, "csv").click()
    rows = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text("utf-8"))))
    assert [(row["part_id"], row["verdict"]) for row in rows] == [("'=BAD", "NG")]
    by(page, "part").fill("nobody")
    expect(page.get_by_text("Nothing fits")).to_be_visible()
    leave(page)


@pytest.mark.system
def test_a_range_of_ones_own_is_local_time(used: Inspector, browser: Browser) -> None:
    page = open_page(browser, f"{used.url}/history?view=regions&period=own")
    expect(page.get_by_text("Enter from when")).to_be_visible()
    now = datetime.now()
    by(page, "since").fill(f"{now - timedelta(hours=2):%Y-%m-%dT%H:%M}")
    expect(by(page, "total")).to_contain_text("30")
    by(page, "until").fill(f"{now - timedelta(hours=1):%Y-%m-%dT%H:%M}")
    expect(page.get_by_text("Nothing fits")).to_be_visible()
    leave(page)


@pytest.mark.system
def test_an_inspection_that_is_gone_is_said_to_be(used: Inspector, browser: Browser) -> None:
    page = open_page(browser, f"{used.url}/history/20200101T000000000000-00000000")
    expect(page.get_by_text("not recorded any more")).to_be_visible()
    leave(page)


@pytest.mark.system
def test_a_csv_that_the_service_refuses_is_no_file(used: Inspector) -> None:
    answer = httpx.get(f"{used.url}/download/inspections.csv?since=yesterday", trust_env=False)
    assert answer.status_code == 422
    assert "attachment" not in answer.headers.get("content-disposition", "")


def test_heat_is_seen_only_from_the_threshold_on() -> None:
    grey = Image.fromarray(np.array([[0, 127, 128, 255]], np.uint8))
    layer = np.asarray(Image.open(io.BytesIO(heat_layer(encoded(grey, "PNG")))))
    assert layer[0, :, 3].tolist() == [0, 0, 110, 210]
    assert layer[0, 3, :3].tolist() == [255, 0, 0]


def test_a_heat_map_that_is_no_picture_is_an_os_error() -> None:
    with pytest.raises(OSError, match="cannot identify"):
        heat_layer(b"no picture")


def test_an_address_that_was_written_by_hand_is_taken_as_far_as_it_is_known() -> None:
    found = wanted({"view": "x", "period": "y", "verdict": "BAD", "role": "disc", "colour": "red"})
    assert (found.view, found.period, found.verdict, found.role) == ("parts", "today", "", "disc")


def test_a_region_has_no_error_verdict_and_a_part_no_region() -> None:
    regions = wanted({"view": "regions", "verdict": "ERROR", "role": "d", "roi": "r"}).choice((6,))
    parts = wanted({"view": "parts", "verdict": "ERROR", "role": "d", "roi": "r"}).choice((6,))
    assert (regions.verdict, regions.roi_id) == ("", "r")
    assert (parts.verdict, parts.roi_id) == ("ERROR", "")


@pytest.mark.parametrize(("value", "top"), [(0, 1), (0.73, 0.8), (1.38, 2), (10.2, 20), (0.05, 0.05)])
def test_an_axis_ends_with_a_round_number(value: float, top: float) -> None:
    assert nice_top(value) == top
