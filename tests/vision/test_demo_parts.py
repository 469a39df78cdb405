"""Drawing brake discs: what the demo, the benchmarks and other tests rely on."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from service.demo.discs import DEFECTS, draw_disc, ring_shape
from service.demo.view import MM_PER_PX
from tests.kit.dataset import write_dataset


def on_the_ring(size: int) -> np.ndarray:
    """(size, size) bool: inside the annulus that `ring_shape` gives, computed from the contract's fields alone."""
    ring = ring_shape(size)
    y, x = np.mgrid[:size, :size]
    r = np.hypot(x - ring["cx"], y - ring["cy"])
    return (r >= ring["r_inner"]) & (r <= ring["r"])


def test_the_same_seed_draws_the_same_picture():
    first, again = draw_disc(7, defect="crack"), draw_disc(7, defect="crack")
    assert np.array_equal(first.image_rgb, again.image_rgb)
    assert np.array_equal(first.mask, again.mask)


def test_a_good_part_is_an_rgb_picture_with_an_empty_mask():
    part = draw_disc(1)
    assert part.image_rgb.shape == (512, 512, 3)
    assert part.image_rgb.dtype == np.uint8
    assert (part.defect, part.area_mm2, part.mm_per_px) == (None, 0.0, MM_PER_PX)
    assert not part.mask.any()


@pytest.mark.parametrize("defect", DEFECTS)
@pytest.mark.parametrize("area_mm2", [1.0, 3.0, 12.0, 30.0])
def test_a_defect_has_the_area_asked_for_and_lies_on_the_friction_ring(defect: str, area_mm2: float):
    part = draw_disc(int(area_mm2), defect=defect, area_mm2=area_mm2)
    assert part.area_mm2 == pytest.approx(area_mm2, rel=0.1)
    assert part.area_mm2 == part.mask.sum() * part.mm_per_px**2
    assert not (part.mask & ~on_the_ring(512)).any()


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_defect_changes_the_picture_at_its_mask_and_nowhere_else(defect: str):
    good, bad = draw_disc(3), draw_disc(3, defect=defect, area_mm2=4)
    change = np.abs(good.image_rgb.astype(int) - bad.image_rgb).max(axis=2)
    near = cv2.dilate(bad.mask.astype(np.uint8), np.ones((21, 21))) > 0
    assert change[bad.mask].mean() > 8  # sensor noise has a standard deviation of at most 2
    assert change[~near].max() == 0


def test_no_two_good_parts_look_alike():
    parts = [draw_disc(seed).image_rgb.astype(int) for seed in range(6)]
    ring = on_the_ring(512)
    differences = [np.abs(a - b)[ring].mean() for i, a in enumerate(parts) for b in parts[:i]]
    assert min(differences) > 4
    assert np.ptp([part[ring].mean() for part in parts]) > 5  # light and exposure differ too


def test_the_friction_ring_fills_its_annulus_wherever_the_disc_lies():
    """Rubber mat, undercut and hub are all darker than machined iron: none may enter the annulus."""
    ring = on_the_ring(512)
    for seed in range(8):
        grey = cv2.GaussianBlur(draw_disc(seed).image_rgb[:, :, 1], (5, 5), 0)
        assert grey[ring].min() > 70


def test_a_smaller_picture_shows_the_whole_disc_at_a_coarser_scale():
    part = draw_disc(2, defect="pore", area_mm2=20, size=128)
    assert part.image_rgb.shape == (128, 128, 3)
    assert part.mm_per_px == 4 * MM_PER_PX
    assert part.area_mm2 == pytest.approx(20, rel=0.1)
    assert not (part.mask & ~on_the_ring(128)).any()


def test_an_unknown_defect_or_an_impossible_area_is_refused():
    with pytest.raises(ValueError, match="scratch, pore, crack, stain"):
        draw_disc(0, defect="dent")
    with pytest.raises(ValueError, match="area_mm2"):
        draw_disc(0, defect="pore", area_mm2=0)


def test_a_dataset_folder_holds_train_test_and_one_mask_for_each_defective_picture(tmp_path: Path):
    write_dataset(tmp_path / "discs", n_train=2, n_good=1, n_per_defect=1)
    names = sorted(path.relative_to(tmp_path / "discs").as_posix() for path in tmp_path.rglob("*.png"))
    masks = [f"ground_truth/{defect}/000_mask.png" for defect in DEFECTS]
    defective = [f"test/{defect}/000.png" for defect in DEFECTS]
    assert names == sorted(["train/good/000.png", "train/good/001.png", "test/good/000.png", *defective, *masks])
    for name in masks:
        mask = np.asarray(Image.open(tmp_path / "discs" / name))
        assert mask.shape == (512, 512)
        assert set(np.unique(mask)) == {0, 255}
    drawn = np.asarray(Image.open(tmp_path / "discs/train/good/001.png"))
    assert np.array_equal(drawn, draw_disc(1).image_rgb)


def test_a_dataset_is_not_mixed_into_a_folder_that_holds_something(tmp_path: Path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="not empty"):
        write_dataset(tmp_path, n_train=1, n_good=1, n_per_defect=1)
