"""A metric of Hugging Face's `evaluate` in a folder: the share of words that an answer has too."""

import datasets
import evaluate


class Words(evaluate.Metric):
    def _info(self) -> evaluate.MetricInfo:
        text = datasets.Value("string")
        return evaluate.MetricInfo(
            description="share of words found",
            citation="",
            inputs_description="",
            features=datasets.Features({"predictions": text, "references": text}),
        )

    def _compute(self, predictions: list[str], references: list[str]) -> dict[str, float]:
        shares = [
            sum(word in answer.split() for word in gold.split()) / len(gold.split())
            for answer, gold in zip(predictions, references, strict=True)
        ]
        return {"words": sum(shares) / len(shares)}
