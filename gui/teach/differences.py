"""Two versions on the same samples: the samples that they judge differently, and the errors of each."""

from __future__ import annotations

from collections.abc import Sequence

from service.contract.samples import InferDatasetAnswer, SampleScore
from service.contract.words import Label


def errors(results: Sequence[SampleScore], label: Label) -> tuple[int | None, int]:
    """How many samples with that label get the wrong verdict, None without a threshold; and how many there are."""
    of_label = [result for result in results if result.label == label]
    if any(result.verdict is None for result in of_label):
        return None, len(of_label)
    return sum(result.verdict != label.upper() for result in of_label), len(of_label)


def differences(first: InferDatasetAnswer, second: InferDatasetAnswer) -> list[tuple[SampleScore, SampleScore]]:
    """Samples with two different verdicts, largest difference of scores first; no sample without a verdict."""
    others = {(result.label, result.filename): result for result in second.results}
    found = [
        (one, two)
        for one in first.results
        if (two := others.get((one.label, one.filename))) and one.verdict and two.verdict and one.verdict != two.verdict
    ]
    return sorted(found, key=lambda pair: -abs(pair[1].score - pair[0].score))
