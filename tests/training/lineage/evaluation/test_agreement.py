"""Agreement statistics against published and hand-computed values, and ratings read back."""

from pathlib import Path

import pytest

from training.lineage.errors import LineageError
from training.lineage.evaluation.agreement import (
    agreement,
    krippendorff_alpha,
    read_ratings,
    weighted_kappa,
)

# Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability", example C: four observers,
# twelve units, missing values; interval alpha is 0.849 there.
EXAMPLE = [
    [1, 1, 1],
    [2, 2, 3, 2],
    [3, 3, 3, 3],
    [3, 3, 3, 3],
    [2, 2, 2, 2],
    [1, 2, 3, 4],
    [4, 4, 4, 4],
    [1, 1, 2, 1],
    [2, 2, 2, 2],
    [5, 5, 5],
    [1, 1],
    [3],
]


def test_alpha_is_that_of_the_published_example() -> None:
    assert krippendorff_alpha(EXAMPLE) == pytest.approx(0.849, abs=0.001)


def test_alpha_is_one_for_perfect_agreement_and_undefined_without_variation() -> None:
    assert krippendorff_alpha([[1, 1], [5, 5]]) == 1
    assert krippendorff_alpha([[3, 3], [3, 3]]) is None
    assert krippendorff_alpha([[1], [2]]) is None


def test_kappa_is_one_for_agreement_zero_by_chance_and_minus_one_against() -> None:
    assert weighted_kappa([(1, 1), (5, 5), (3, 3)]) == 1
    assert weighted_kappa([(1, 1), (1, 5), (5, 1), (5, 5)]) == pytest.approx(0)
    assert weighted_kappa([(1, 5), (5, 1)]) == pytest.approx(-1)
    assert weighted_kappa([(2, 2)]) is None
    assert weighted_kappa([]) is None


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(["rater,item,innovation,feasibility", *lines]) + "\n", "utf-8")
    return path


def test_ratings_are_read_back_with_means_by_system(tmp_path: Path) -> None:
    first = write(tmp_path / "a.csv", "Ann,P001,4,5", "Ann,P002,1,2")
    second = write(tmp_path / "b.csv", "Ben,P002,2,2", "Ben,P001,5,5", "Ben,P003,,1")
    found = agreement(read_ratings([first, second]), {"P001": "adapter", "P002": "base"})
    innovation, feasibility = found
    assert (innovation.raters, innovation.items) == (2, 2)
    assert feasibility.items == 3
    assert innovation.means == {"adapter": 4.5, "base": 1.5}
    assert feasibility.alpha == 1
    assert list(innovation.kappas) == ["Ann and Ben"]


@pytest.mark.parametrize("cell", ["6", "0", "good", "4.5", "-1"])
def test_a_rating_off_the_scale_is_named_with_its_line(tmp_path: Path, cell: str) -> None:
    path = write(tmp_path / "a.csv", "Ann,P001,3,3", f"Ann,P002,{cell},3")
    with pytest.raises(LineageError, match=f"line 3: innovation is '{cell}'"):
        read_ratings([path])


def test_a_file_that_is_no_export_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("rater,item\nAnn,P001\n", "utf-8")
    with pytest.raises(LineageError, match="no column feasibility, innovation"):
        read_ratings([path])
