"""Where a part lies in a frame: shifts and turns to a fraction of a pixel, and an error in every doubt."""

from __future__ import annotations

import numpy as np
import pytest

from service.contract.layouts import Box, Mark
from service.errors import NotAligned
from service.vision.find_part import MIN_SCORE, find_part, prepare_marks
from tests.kit.scene import CORNER, HEIGHT, HOLE, WIDTH, motion, plate

EVERYWHERE = np.array([[0, 0], [WIDTH - 1, 0], [0, HEIGHT - 1], [WIDTH - 1, HEIGHT - 1], HOLE, CORNER])


def mark_at(place: tuple[float, float], side: int = 80, reach: int = 60) -> Mark:
    x, y = place[0] - side / 2, place[1] - side / 2
    return Mark(x=x, y=y, w=side, h=side, search=Box(x=x - reach, y=y - reach, w=side + 2 * reach, h=side + 2 * reach))


ONE = [mark_at(HOLE)]
TWO = [mark_at(HOLE), mark_at(CORNER)]
IN_ONE = prepare_marks(plate(noise=1.5, seed=1), ONE)
IN_TWO = prepare_marks(plate(noise=1.5, seed=1), TWO)


def worst_px(found: np.ndarray, true: np.ndarray, places: np.ndarray = EVERYWHERE) -> float:
    """The largest distance between where two affines take some places."""
    apart = (places @ found[:, :2].T + found[:, 2]) - (places @ true[:, :2].T + true[:, 2])
    return float(np.linalg.norm(apart, axis=1).max())


@pytest.mark.parametrize("seed", range(12))
def test_shift_and_turn_are_found_to_a_tenth_of_a_pixel_anywhere_in_the_picture(seed: int) -> None:
    chance = np.random.default_rng(seed)
    angle = chance.uniform(-10, 10)
    dx, dy = chance.uniform(-12, 12, 2)
    frame = plate(dx, dy, angle, light=chance.uniform(0.5, 1.2), noise=3, seed=seed + 10)
    found = find_part(IN_TWO, frame)
    assert abs(found.angle_deg - angle) < 0.02
    assert worst_px(np.array(found.matrix), motion(dx, dy, angle)) < 0.1
    assert min(found.scores) > 0.95


@pytest.mark.parametrize("angle", [-10.0, -7.5, -2.5, -0.03, 0.0, 0.04, 5.0, 10.0])
def test_any_turn_up_to_ten_degrees_is_found(angle: float) -> None:
    found = find_part(IN_TWO, plate(3.3, -4.7, angle, noise=2))
    assert abs(found.angle_deg - angle) < 0.02
    assert worst_px(np.array(found.matrix), motion(3.3, -4.7, angle)) < 0.1


@pytest.mark.parametrize(("dx", "dy"), [(0, 0), (0.25, -0.5), (17.33, 8.81), (-40.1, 44.9), (0.5, 0.5)])
def test_one_mark_gives_the_shift(dx: float, dy: float) -> None:
    found = find_part(IN_ONE, plate(dx, dy, noise=2, seed=3))
    assert (found.dx_px, found.dy_px) == pytest.approx((dx, dy), abs=0.05)
    assert found.matrix == ((1, 0, pytest.approx(dx, abs=0.05)), (0, 1, pytest.approx(dy, abs=0.05)))
    assert found.angle_deg == 0


def test_the_shift_told_is_that_of_the_middle_of_the_marks() -> None:
    found = find_part(IN_TWO, plate(5, 2, 4))
    middle = (np.array(HOLE) + np.array(CORNER)) / 2 - 0.5  # a mark of 80 px has its centre between two pixels
    matrix = np.array(found.matrix)
    assert (found.dx_px, found.dy_px) == pytest.approx(matrix[:, :2] @ middle + matrix[:, 2] - middle)


def test_two_round_holes_tell_the_turn_although_each_alone_knows_none() -> None:
    far = plate()
    y, x = np.ogrid[0:HEIGHT, 0:WIDTH]

    def holes(dx: float, dy: float, angle: float) -> np.ndarray:
        matrix, frame = motion(dx, dy, angle), np.full(far.shape, 150, np.uint8)
        for place in (HOLE, CORNER):
            cx, cy = matrix[:, :2] @ place + matrix[:, 2]
            frame[:] = frame - (100 * (0.5 + 0.5 * np.tanh((20 - np.hypot(x - cx, y - cy)) / 0.8)))[:, :, None]
        return frame

    found = find_part(prepare_marks(holes(0, 0, 0), TWO), holes(6.2, -3.4, -8))
    assert found.angle_deg == pytest.approx(-8, abs=0.05)
    assert worst_px(np.array(found.matrix), motion(6.2, -3.4, -8)) < 0.15


@pytest.mark.parametrize(("side", "place"), [(24, (175, 150)), (40, (175, 150)), (120, HOLE)])
def test_small_and_large_marks_are_found(side: int, place: tuple[float, float]) -> None:
    marks = [mark_at(place, side, 40), mark_at(CORNER, side, 40)]
    found = find_part(prepare_marks(plate(), marks), plate(6.5, 3.25, -3, noise=2))
    assert worst_px(np.array(found.matrix), motion(6.5, 3.25, -3)) < 0.15


def test_a_large_mark_is_compared_at_half_its_resolution_and_still_as_exact() -> None:
    mark = Mark(x=70, y=60, w=330, h=240, search=Box(x=20, y=10, w=430, h=340))
    found = find_part(prepare_marks(plate(), [mark]), plate(7.4, -9.7, noise=2))
    assert (found.dx_px, found.dy_px) == pytest.approx((7.4, -9.7), abs=0.1)


@pytest.mark.parametrize("without", ["hole", "corner"])
def test_a_mark_that_is_not_there_is_named_with_its_score(without: str) -> None:
    with pytest.raises(NotAligned) as refused:
        find_part(IN_TWO, plate(2, 3, 1, noise=2, without=(without,)))
    number = 1 if without == "hole" else 2
    assert f"Mark {number} was not found" in refused.value.detail
    assert f"{MIN_SCORE:g} is needed" in refused.value.detail


@pytest.mark.parametrize("marks", [IN_ONE, IN_TWO], ids=["one", "two"])
@pytest.mark.parametrize("kind", ["black", "white", "grey", "dark noise", "noise", "stripes"])
def test_a_picture_of_nothing_is_not_aligned(marks: object, kind: str) -> None:
    chance, shape = np.random.default_rng(4), (HEIGHT, WIDTH, 3)
    stripes = np.broadcast_to((np.arange(WIDTH) // 20 % 2 * 200)[None, :, None], shape)
    frame = {
        "black": np.zeros(shape), "white": np.full(shape, 255), "grey": np.full(shape, 90),
        "dark noise": chance.integers(0, 8, shape), "noise": chance.integers(0, 255, shape), "stripes": stripes,
    }[kind].astype(np.uint8)  # fmt: skip
    with pytest.raises(NotAligned, match="Mark 1 was not found"):
        find_part(marks, frame)  # type: ignore[arg-type]


def test_a_mark_as_the_shadow_of_itself_is_not_believed() -> None:
    """A fifth of the contrast: the light is off, or it is something else."""
    assert find_part(IN_ONE, plate(2, 2, light=0.4)).scores[0] > 0.95
    faint = (plate(2, 2).astype(float) * 0.2 + 100).astype(np.uint8)
    with pytest.raises(NotAligned, match="score"):
        find_part(IN_ONE, faint)


@pytest.mark.parametrize(("dx", "dy"), [(60, 0), (-60.4, 3), (0, 64), (2, -62)])
def test_a_mark_at_the_border_of_its_search_area_is_not_believed(dx: float, dy: float) -> None:
    with pytest.raises(NotAligned, match="border of its search area"):
        find_part(IN_ONE, plate(dx, dy))


def test_a_part_turned_too_far_is_not_aligned() -> None:
    with pytest.raises(NotAligned):
        find_part(IN_TWO, plate(0, 0, 13))
    with pytest.raises(NotAligned):  # one mark alone shows no turn, but it looks different
        find_part(IN_ONE, plate(0, 0, 40))


def test_a_mark_found_twice_is_not_believed() -> None:
    with pytest.raises(NotAligned, match="found in two places"):
        find_part(IN_ONE, plate(0, -20, twin_hole=True))


def test_of_two_alike_the_one_is_taken_that_lies_right_to_the_other_mark() -> None:
    found = find_part(IN_TWO, plate(0, -20, twin_hole=True))
    assert worst_px(np.array(found.matrix), motion(0, -20, 0)) < 0.1


def test_marks_that_are_not_as_far_apart_as_in_the_master_are_not_believed() -> None:
    frame = plate()
    frame[:, WIDTH // 2 :] = plate(9, 0)[:, WIDTH // 2 :]
    with pytest.raises(NotAligned, match=r"394\.7 px apart .* 386\.3 px in the master") as refused:
        find_part(IN_TWO, frame)
    assert "scores 1.00 and 1.00" in refused.value.detail


def test_what_covers_a_fifth_of_a_mark_does_not_move_the_part() -> None:
    frame = plate(4.5, -3.5, 2, noise=2)
    frame[180:215, 105:150] = 60
    found = find_part(IN_TWO, frame)
    assert worst_px(np.array(found.matrix), motion(4.5, -3.5, 2)) < 1
    assert found.scores[0] < 0.9
