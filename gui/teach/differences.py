"""Two versions on the same samples: the samples that they judge differently, and the errors of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from service.contract.samples import InferDatasetAnswer, SampleScore
from service.contract.words import Label, Verdict


@dataclass(frozen=True)
class Errors:
    """How many of `n` samples with a label get the wrong verdict; None without a threshold."""

    n: int
    wrong: int | None


@dataclass(frozen=True)
class Difference:
    filename: str
    label: Label
    first: Verdict | None
    second: Verdict | None
    apart: float


def errors(results: Sequence[SampleScore], label: Label) -> Errors:
    of_label = [result for result in results if result.label == label]
    if any(result.verdict is None for result in of_label):
        return Errors(len(of_label), None)
    return Errors(len(of_label), sum(result.verdict != label.upper() for result in of_label))


def differences(first: InferDatasetAnswer, second: InferDatasetAnswer) -> list[Difference]:
    """Samples with two different verdicts, largest difference of scores first; no sample without a verdict."""
    others = {(result.label, result.filename): result for result in second.results}
    found = [
        Difference(one.filename, one.label, one.verdict, two.verdict, abs(two.score - one.score))
        for one in first.results
        if (two := others.get((one.label, one.filename))) and one.verdict and two.verdict and one.verdict != two.verdict
    ]
    return sorted(found, key=lambda item: -item.apart)
