"""A run from a model to a saved adapter: loads, trains, evaluates, keeps the best.

Takes a job of plain values and leaves an adapter directory; what it is published as is not known
here.
"""

import resource
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
import transformers
from peft import PeftModel

from training import checkpoints, generating, processes
from training.allocator import return_large_blocks
from training.errors import RunStopped
from training.examining import Examiner, Loss, Tell
from training.forward import part_loss
from training.job import Job, Outcome, StepReport
from training.loading import load_model
from training.preference_loss import preference_loss, reference_margins
from training.stopping import StopRequest
from training.trainer import PairTrainer, RowTrainer, Run

PROBE_TOKENS = 12


def train(job: Job, watch: Callable[[StepReport], None], tell: Tell, stop: StopRequest) -> Outcome:
    """Train and save an adapter.

    Args:
        job: The run.
        watch: Told about every step.
        tell: Told about every evaluation.
        stop: When it becomes true, the run saves a checkpoint and ends.

    Raises:
        RunDiverged: Loss or gradients are not finite, or the loss is worse than guessing.
        RunStopped: `stop` became true; the message says how to go on.
        TrainingError: A checkpoint cannot be read or written.
    """
    torch.set_num_threads(job.threads)
    return_large_blocks()
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    transformers.set_seed(job.seed)
    checkpoint = checkpoints.latest(job.run_dir) if job.resume else None
    run = _start(job, watch, tell, stop, steps_done=checkpoint.step if checkpoint else 0)
    trainer = (RowTrainer if job.beta is None else PairTrainer)(run)
    started = time.monotonic()
    exhausted = run.examiner is not None and run.examiner.exhausted
    if not exhausted:
        trainer.train(resume_from_checkpoint=str(checkpoint.path) if checkpoint else None)
    seconds = time.monotonic() - started
    exhausted = run.examiner is not None and run.examiner.exhausted
    if trainer.state.global_step < len(job.steps) and not exhausted:
        raise RunStopped(
            f"Stopped after step {trainer.state.global_step} of {len(job.steps)}; a checkpoint is "
            f"saved. Go on with the same command and --run-dir {job.run_dir} --resume"
        )
    return Outcome(
        adapter_dir=_keep(run, trainer.model),
        losses=run.log.losses,
        findings=run.examiner.findings if run.examiner else [],
        kept=run.examiner.best if run.examiner else None,
        differing=_differing(trainer.model, job.probes, run.tokenizer.eos_token_id),
        seconds=seconds,
        tokens=run.tokens_seen,
        peak_memory_bytes=peak_memory_bytes(),
    )


def _keep(run: Run, model: PeftModel) -> Path:
    """Put the adapter of the run in its place: that of the best evaluation, or the last."""
    adapter_dir = run.job.run_dir / "adapter"
    if run.examiner is not None:
        best = run.job.run_dir / "best"
        model.load_adapter(best, model.active_adapter, is_trainable=False)
    if processes.is_writer():
        checkpoints.replace_directory(adapter_dir, model.save_pretrained)
    return adapter_dir


def _differing(model: PeftModel, probes: Sequence[list[int]], eos: int) -> list[bool]:
    """Whether the adapter changes the first tokens of the answer, for each probe."""
    with_adapter = generating.generate(model, probes, max_tokens=PROBE_TOKENS, eos=eos)
    with model.disable_adapter():
        without = generating.generate(model, probes, max_tokens=PROBE_TOKENS, eos=eos)
    return [one != other for one, other in zip(with_adapter, without, strict=True)]


def peak_memory_bytes() -> int:
    """The most memory this process has had at once."""
    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_allocated())
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _start(
    job: Job,
    watch: Callable[[StepReport], None],
    tell: Tell,
    stop: StopRequest,
    *,
    steps_done: int,
) -> Run:
    model = load_model(job)
    tokenizer = transformers.AutoTokenizer.from_pretrained(job.base_dir, local_files_only=True)
    loss: Loss = part_loss
    if job.beta is not None:
        compared = [*job.examples, *(job.held_out.examples if job.held_out else [])]
        margins = reference_margins(model.get_base_model(), compared, job.max_tokens)
        loss = preference_loss(job.beta, margins)
    log = checkpoints.StepLog(job.run_dir, keep=steps_done, writes=processes.is_writer())
    run = Run(job, model, tokenizer, loss, watch, stop, log, None)
    if job.held_out is not None:
        run.examiner = Examiner(
            job.held_out,
            job.run_dir,
            tokenizer,
            loss=loss,
            weight=run.weight(job.held_out.examples),
            max_tokens=job.max_tokens,
            steps_done=steps_done,
            tell=tell,
        )
    return run
