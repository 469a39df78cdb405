"""What is being taught goes on without its page: followed, cancelled and found again, against the real service."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import pytest
from fastapi.testclient import TestClient

from gui.line.latest import Latest
from gui.service.client import Client, ServiceError, Target
from gui.service.jobs import Teaching, time_left_s
from gui.service.teaching import TaughtRoi
from tests.kit.parts import ROI, SCALE, calibrate, disc, fit, upload


def run(work: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(work(), 60))  # type: ignore[arg-type]


@asynccontextmanager
async def asking(service: TestClient) -> AsyncIterator[Client]:
    """The inspector's client before the service of this process."""
    client = Client(Target("http://localhost"))
    await client._http.aclose()
    client._http = httpx.AsyncClient(transport=httpx.ASGITransport(service.app), base_url="http://localhost")
    yield client
    await client.close()


def test_a_lesson_is_found_again_and_ends_as_a_candidate(client: TestClient) -> None:
    upload(client, 4)

    async def story() -> None:
        async with asking(client) as asked:
            teaching = Teaching(asked)
            started = await teaching.start(ROI["role_id"], ROI["roi_id"], SCALE)
            assert teaching.of(ROI["role_id"], ROI["roi_id"]) is started
            job = await started.ended()
            assert job is not None
            assert job.state == "done"
            assert job.result is not None
            assert job.result["active"] is False
            await teaching.close()

    run(story)
    models = client.get("/models", params=ROI).json()["models"]
    assert [(model["model_version"], model["current"]) for model in models] == [(1, False)]


def test_two_pages_that_start_at_once_teach_once(client: TestClient) -> None:
    upload(client, 4)

    async def story() -> None:
        async with asking(client) as asked:
            teaching = Teaching(asked)
            lessons = await asyncio.gather(*(teaching.start("disc", "ring", SCALE) for _ in range(2)))
            assert lessons[0] is lessons[1]
            await lessons[0].ended()
            assert not lessons[0].running
            assert await teaching.start("disc", "ring", SCALE) is not lessons[0]
            await teaching.close()

    run(story)


def test_a_lesson_that_cannot_begin_says_why(client: TestClient) -> None:
    """No samples: the job itself fails. Frozen: it is refused before."""

    async def story() -> None:
        async with asking(client) as asked:
            teaching = Teaching(asked)
            job = await (await teaching.start("disc", "ring", SCALE)).ended()
            assert job is not None
            assert (job.state, (job.problem or {}).get("code")) == ("failed", "invalid_field")
            client.post("/admin/freeze", json={"why": "audit"})
            with pytest.raises(ServiceError, match="frozen") as refused:
                await teaching.start("disc", "ring", SCALE)
            assert refused.value.code == "training_frozen"
            await teaching.close()

    run(story)


def test_a_lesson_that_has_ended_can_be_cancelled_without_harm(client: TestClient) -> None:
    upload(client, 4)

    async def story() -> None:
        async with asking(client) as asked:
            teaching = Teaching(asked)
            lesson = await teaching.start("disc", "ring", SCALE)
            await lesson.ended()
            await lesson.cancel()
            assert lesson.job is not None
            assert lesson.job.state == "done"
            await teaching.close()

    run(story)


def test_a_job_nobody_knows_is_lost_sight_of_with_its_reason(client: TestClient) -> None:
    async def story() -> None:
        async with asking(client) as asked:
            from gui.service.jobs import Following

            lost = Following(asked, "/jobs/unknown")
            assert await lost.ended() is None
            assert lost.error is not None
            assert lost.error.code == "not_found"
            await lost.close()

    run(story)


def test_a_picture_of_the_roi_itself_keeps_the_number_of_its_part(client: TestClient) -> None:
    async def story() -> None:
        async with asking(client) as asked:
            roi = TaughtRoi(asked, **ROI)
            for name, part_id in (("a.png", "B-17"), ("b.png", "")):
                await roi.keep_picture("ok", name, disc(1), SCALE, part_id)
            assert [(one.source_name, one.part_id) for one in await roi.samples("ok")] == [
                ("b.png", None),
                ("a.png", "B-17"),
            ]

    run(story)


def test_a_provisional_threshold_is_accepted_with_a_reason_and_not_while_training_is_frozen(client: TestClient) -> None:
    assert fit(client, 6).status_code == 200
    assert calibrate(client).status_code == 200

    async def story() -> None:
        async with asking(client) as asked:
            roi = TaughtRoi(asked, **ROI)
            assert [version.provisional for version in await roi.versions()] == [True]
            client.post("/admin/freeze", json={"why": "audit"})
            with pytest.raises(ServiceError, match="frozen"):
                await roi.accept(1, "measured by hand, too")
            client.post("/admin/unfreeze")
            done = await roi.accept(1, "measured by hand, too")
            assert (done.model_version, done.accepted.why) == (1, "measured by hand, too")
            assert [version.provisional for version in await roi.versions()] == [False]

    run(story)


@pytest.mark.parametrize(("progress", "elapsed_s", "left_s"), [(0.5, 30, 30), (0.25, 10, 30), (0.01, 60, None)])
def test_time_left_is_told_when_it_can_be(progress: float, elapsed_s: float, left_s: float | None) -> None:
    assert time_left_s(progress, elapsed_s) == left_s


def test_of_many_values_the_newest_is_worked_on_last() -> None:
    async def story() -> None:
        done: list[int] = []

        async def work(value: int) -> None:
            await asyncio.sleep(0)
            done.append(value)

        latest = Latest(work)
        for value in range(100):
            latest.ask(value)
        await latest.settled()
        assert done == [99]
        latest.ask(7)
        await latest.settled()
        assert done == [99, 7]

    run(story)
