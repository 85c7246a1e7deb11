"""Does a docked version answer, and does it answer differently from the base?

vLLM serves an adapter with NaN weights, or one whose keys match no module, without complaint.
The probes of the manifest are completed greedily on both; numbers must be finite and differ.
"""

import asyncio
import itertools
import math
from collections.abc import Sequence

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError

from adapters.store import Version
from service.engine.errors import RequestRefused
from service.engine.protocol import JSON, DockedAdapter, Engine
from service.errors import DockRefused

log = structlog.get_logger(__name__)

PROBE_TOKENS = 8
# Two runs of the same weights differ by rounding, in batches of different shapes by this order.
SAME_WITHIN = 1e-4
# vLLM writes this in place of minus infinity.
MINUS_INFINITY = -9999.0


class _Logprobs(BaseModel):
    model_config = ConfigDict(extra="ignore")
    tokens: list[str]
    token_logprobs: list[float | None]


class _Choice(BaseModel):
    model_config = ConfigDict(extra="ignore")
    logprobs: _Logprobs


class _Completion(BaseModel):
    model_config = ConfigDict(extra="ignore")
    choices: list[_Choice]


class Prober:
    """Compares versions with the base on their own probe prompts; the base is asked once."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._of_base: dict[str, _Logprobs] = {}
        self._numbers = itertools.count(1)

    async def probe(self, version: Version, adapter: DockedAdapter) -> None:
        """Ask a docked version its probes.

        Raises:
            DockRefused: An answer is not finite, or all answers equal the base's.
            EngineDead: The engine stopped meanwhile.
        """
        prompts = version.manifest.probes
        if not prompts:
            log.info(
                "probe skipped", version=adapter.name, reason="the manifest names no probe prompts"
            )
            return
        missing = [prompt for prompt in prompts if prompt not in self._of_base]
        # All at once: one after another they would take a decode step each, times the load.
        found = await asyncio.gather(
            *(self._ask(prompt, None) for prompt in missing),
            *(self._ask(prompt, adapter) for prompt in prompts),
        )
        self._of_base.update(zip(missing, found, strict=False))
        differs = False
        for prompt, answer in zip(prompts, found[len(missing) :], strict=True):
            _refuse_infinite(answer, prompt)
            differs = differs or _differ(answer, self._of_base[prompt])
        if not differs:
            raise DockRefused(
                f"it answers its {len(prompts)} probe prompts exactly as the base model does, to "
                f"within {SAME_WITHIN:g} in every log-probability; expected a difference on at "
                "least one. Its weights are zero or reach no module; train or export it again"
            )

    async def _ask(self, prompt: str, adapter: DockedAdapter | None) -> _Logprobs:
        body: JSON = {
            "model": adapter.name if adapter else self._engine.base_model,
            "prompt": prompt,
            "max_tokens": PROBE_TOKENS,
            "temperature": 0.0,
            "logprobs": 1,
        }
        try:
            answer = await self._engine.complete(body, adapter, f"probe-{next(self._numbers)}")
            return _Completion.model_validate(answer).choices[0].logprobs
        except RequestRefused as error:
            raise DockRefused(
                f"its probe prompt {prompt[:80]!r} was refused: {error}. "
                "Publish it again with probes that the base can take"
            ) from error
        except ValidationError as error:
            raise DockRefused(
                f"its answer to the probe prompt {prompt[:80]!r} holds no usable "
                "log-probabilities; expected one finite number for each token. Its weights are "
                "probably not finite; train or export it again"
            ) from error


def _refuse_infinite(answer: _Logprobs, prompt: str) -> None:
    for token, logprob in zip(answer.tokens, answer.token_logprobs, strict=True):
        if logprob is None or not math.isfinite(logprob) or logprob <= MINUS_INFINITY:
            raise DockRefused(
                f"its answer to the probe prompt {prompt[:80]!r} has log-probability {logprob} "
                f"at token {token!r}; expected finite numbers. Its weights are not finite or far "
                "too large; train or export it again"
            )


def _differ(answer: _Logprobs, base: _Logprobs) -> bool:
    return answer.tokens != base.tokens or _far(answer.token_logprobs, base.token_logprobs)


def _far(left: Sequence[float | None], right: Sequence[float | None]) -> bool:
    return any(abs((a or 0.0) - (b or 0.0)) > SAME_WITHIN for a, b in zip(left, right, strict=True))
