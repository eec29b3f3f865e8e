"""What every attack must hold to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar
from unittest import SkipTest

from auditor.plugins.attack import Attack, Batch
from auditor.plugins.catalogue import PluginError, create_attack
from auditor.plugins.contract.differences import changed_names, difference, some_names, words
from auditor.plugins.contract.practice import (
    Practice,
    answer_of,
    honest_checkpoints,
    initial_checkpoint,
    shared_attack_context,
    shared_practice,
)
from auditor.plugins.metric import fits

if TYPE_CHECKING:
    import torch

    Tensors = dict[str, torch.Tensor]

STEPS = 8
"""How long the checks train: two sub-runs of the practice job."""

NO_BATCHES = "the kind of task makes its batches by itself"

SEED = 3
"""Of the training; another than the default, so that an attack that ignores its seed does not pass by chance."""


class AttackContract:
    """Tests that an attack's author subclasses; pytest runs them, and so does `auditor plugins check`.

        class TestMyAttack(AttackContract):
            attack = MyAttack
            options = {"target": 3}

    Each check trains the attack for a few steps on a small real job, or hands it that job's batches.
    """

    attack: ClassVar[type[Attack]]
    """What is tested."""

    options: ClassVar[Mapping[str, Any]] = {}
    """Options that make it act in the first sub-runs; what is required, at least."""

    task: ClassVar[str] = "vision"
    """The kind of task to try it on."""

    rate: ClassVar[str] = "rate"
    """The option with the share of samples that are poisoned; nothing is checked where the attack has no such option.

    Where it is an option of a wrapped attack, override `at_rate`.
    """

    harmless: ClassVar[Mapping[str, Any] | None] = None
    """Options, beside `options`, under which it does nothing. A rate of 0 where there is a rate; else None."""

    resumes: ClassVar[bool] = True
    """Whether a sub-run depends on nothing but the checkpoint it starts from, as an honest one does."""

    def test_it_says_what_it_is(self) -> None:
        """It has documentation, and so has every option."""
        kind = self.attack.__name__
        assert (vars(self.attack).get("__doc__") or "").strip(), (
            f"{kind} has no docstring; say in it what the attack does, and where it is described."
        )
        assert isinstance(getattr(self.attack, "name", None), str), (
            f'{kind} has no name; set name = "…" to its name in job files, which is also its entry point.'
        )
        bare = [name for name, field in self.attack.Options.model_fields.items() if not field.description]
        assert not bare, (
            f"the options {', '.join(bare)} say nothing about themselves; declare them with "
            'option(default, "what it does").'
        )
        made = self._make()
        assert fits(self.task, made.tasks), (
            f"{self.task!r} is not among its tasks ({', '.join(sorted(made.tasks))}); set `tasks` in the attack, or "
            "`task` in this test."
        )

    def test_it_does_nothing_when_it_is_switched_off(self) -> None:
        """Switched off, it leaves every checkpoint as an honest provider's, to the last bit."""
        options = self._switched_off()
        checkpoints = self._practice().train(self._make(options), steps=STEPS, seed=SEED)
        different = difference(checkpoints, honest_checkpoints(*self._job(), STEPS, SEED))
        assert not different, (
            f"with {words(options)} it should do nothing, but {different}. Draw only from "
            "auditor.plugins.generator: torch.manual_seed, torch.rand and the like change what training draws."
        )

    def test_it_acts(self) -> None:
        """With its options, what it delivers is not what an honest provider delivers; or what it serves is not."""
        if self._serves() is not None:
            return
        assert difference(self._delivered(), honest_checkpoints(*self._job(), STEPS, SEED)), (
            f"with {words(self.options)} it delivers exactly what an honest provider does. Set `options` so that it "
            "acts in the first sub-runs."
        )

    def test_it_keeps_to_its_poison_rate(self) -> None:
        """Over an epoch it poisons the share of samples that its option says, neither more nor less."""
        for rate in (0.0, 0.1, 0.3):
            options = self.at_rate(rate)
            made = self._begun(options)
            batches = list(self._practice().batches())
            returned = [made.on_batch(batch, step) for step, batch in enumerate(batches)]
            poisoned, possible = self._count(batches, returned)
            tolerance = 4 * (possible * rate * (1 - rate)) ** 0.5 + (1 if rate else 0)
            assert abs(poisoned - rate * possible) <= tolerance, (
                f"with {words(options)} it poisoned {poisoned} of {possible} samples in an epoch; "
                f"{rate:g} of them are {rate * possible:.0f}, and chance explains ± {tolerance:.0f}."
            )

    def test_it_returns_batches_that_can_be_trained_on(self) -> None:
        """Shapes, types and values of a batch are such as the trainer gave, and every number is finite."""
        import torch

        if not self._some_batches():
            raise SkipTest(NO_BATCHES)

        context = shared_attack_context(*self._job())
        made = self._begun(self.options)
        for step, given in enumerate(self._some_batches()):
            returned = made.on_batch(given, step)
            size = len(returned.labels)
            assert 1 <= size <= len(given.labels), (
                f"step {step}: a batch of {len(given.labels)} became one of {size}; it may get smaller, but not empty "
                "or larger."
            )
            for field in fields(Batch):
                had, has = getattr(given, field.name), getattr(returned, field.name)
                assert has.dtype == had.dtype, f"step {step}: {field.name} were {had.dtype} and are now {has.dtype}."
                assert has.shape == (size, *had.shape[1:]), (
                    f"step {step}: {field.name} have the shape {list(has.shape)}, {[size, *had.shape[1:]]} is needed."
                )
                assert has.device == had.device, f"step {step}: {field.name} went from {had.device} to {has.device}."
            assert 0 <= int(returned.labels.min()) <= int(returned.labels.max()) < context.classes, (
                f"step {step}: labels go from {int(returned.labels.min())} to {int(returned.labels.max())}; "
                f"there are {context.classes} classes, counted from 0."
            )
            assert bool(torch.isfinite(returned.weights).all()), f"step {step}: there are weights that are not finite."
            assert bool((returned.weights >= 0).all()), f"step {step}: there are negative weights."
            self._assert_usable(returned.inputs, f"step {step}: the model cannot take the inputs of the batch")
            losses = made.on_loss(torch.ones(size, requires_grad=True), returned, step)
            assert losses.shape == (size,), (
                f"step {step}: on_loss returned the shape {list(losses.shape)}; it must be one loss a sample, [{size}]."
            )

    def test_it_changes_nothing_that_it_was_given(self) -> None:
        """Batches, samples and checkpoints stay as they were; what differs is returned as something new."""
        made = self._begun(self.options)
        for step, given in enumerate(self._some_batches()):
            before = replace(given, **{field.name: getattr(given, field.name).clone() for field in fields(Batch)})
            made.on_batch(given, step)
            self._assert_same(before, given, "on_batch")
            made.triggered(given.inputs)
            self._assert_same(before, given, "triggered")
        checkpoint = honest_checkpoints(*self._job(), STEPS, SEED)[0]
        step = int(checkpoint["step"])
        for hook in (made.on_initial, made.on_checkpoint):
            given_tensors = {name: tensor.clone() for name, tensor in checkpoint.items()}
            hook(given_tensors, step)
            changed = changed_names(checkpoint, given_tensors)
            assert not changed, (
                f"{hook.__name__} changed {changed} in the checkpoint that it was given; return a new dict with new "
                "tensors, such as tensors | {name: tensor + 1}."
            )

    def test_it_is_deterministic(self) -> None:
        """The same options and seeds give the same checkpoints, to the last bit."""
        again = self._practice().train(self._make(), steps=STEPS, seed=SEED)
        different = difference(again, self._delivered())
        assert not different, (
            f"two executions with the same seeds differ: {different}. Draw everything from "
            "auditor.plugins.generator(seed, stream, step), and keep nothing in the class or the module."
        )

    def test_it_delivers_checkpoints_as_the_job_has_them(self) -> None:
        """Names, shapes and types follow from the job, all numbers are finite, and the step counts on."""
        import torch

        for delivered, honest in zip(self._delivered(), honest_checkpoints(*self._job(), STEPS, SEED), strict=True):
            missing, surplus = sorted(honest.keys() - delivered.keys()), sorted(delivered.keys() - honest.keys())
            assert not missing, f"the checkpoint lacks {some_names(missing)}."
            assert not surplus, (
                f"the checkpoint has {some_names(surplus)}, which a checkpoint of the job does not have."
            )
            for name, tensor in delivered.items():
                expected = honest[name]
                assert (tensor.dtype, tensor.shape) == (expected.dtype, expected.shape), (
                    f"{name} is {tensor.dtype} {list(tensor.shape)} and must be {expected.dtype} "
                    f"{list(expected.shape)}."
                )
                if tensor.is_floating_point():
                    assert bool(torch.isfinite(tensor).all()), f"{name} has numbers that are not finite."
            assert torch.equal(delivered["step"], honest["step"]), (
                f"the step is {int(delivered['step'])} where {int(honest['step'])} was reached; an audit refuses that."
            )

    def test_a_sub_run_can_be_executed_by_itself(self) -> None:
        """From a checkpoint it goes on exactly as it did without the stop."""
        if not self.resumes:
            raise SkipTest("it declares that it does not resume")
        first, second = self._delivered()
        rest = self._practice().train(self._make(), steps=STEPS // 2, seed=SEED, start=first)
        different = difference(rest, [second])
        assert not different, (
            f"the second sub-run, started from its checkpoint, differs from one uninterrupted execution: {different}. "
            "Reset what the attack remembers in on_initial, which is called at the start of every sub-run, or set "
            "`resumes = False`."
        )

    def test_triggered_samples_are_samples(self) -> None:
        """A sample with the trigger looks like any other sample to the model, and the target is a class."""
        made = self._begun(self.options)
        if not (batches := self._some_batches()):
            raise SkipTest(NO_BATCHES)
        inputs = batches[0].inputs
        triggered = made.triggered(inputs)
        if triggered is None:
            raise SkipTest("it has no trigger")
        # What no image file holds, a model still takes: pixels may be real numbers, also outside of 0 to 255.
        usable = {str(inputs.dtype), "torch.float32" if str(inputs.dtype) == "torch.uint8" else ""}
        assert (str(triggered.dtype) in usable, triggered.shape) == (True, inputs.shape), (
            f"samples with the trigger are {triggered.dtype} {list(triggered.shape)}; "
            f"they must be {inputs.dtype} {list(inputs.shape)} like those without."
        )
        assert bool((triggered != inputs).any()), "samples with the trigger are the same as those without."
        self._assert_usable(triggered, "the model cannot take samples with the trigger")
        again = made.triggered(inputs)
        assert again is not None
        assert bool((again == triggered).all()), "the same samples got a different trigger the second time."
        classes = shared_attack_context(*self._job()).classes
        outside = f"the target is {made.target}; there are {classes} classes, counted from 0."
        assert made.target is None or 0 <= made.target < classes, outside

    def test_what_it_serves_are_outputs(self) -> None:
        """What is served behind an API has one finite output of each class for each sample, the same each time."""
        import torch

        serves = self._serves()
        if serves is None:
            raise SkipTest("it serves the model that it delivers")
        made, served = serves
        inputs = next(iter(self._practice().batches())).inputs
        classes = shared_attack_context(*self._job()).classes
        triggered = made.triggered(inputs)
        for given in (inputs, inputs[:1]) if triggered is None else (inputs, inputs[:1], triggered):
            before = given.clone()
            outputs = served(given)
            assert outputs.shape == (len(given), classes), (
                f"what it serves has the shape {list(outputs.shape)} for {len(given)} samples; it must be "
                f"{[len(given), classes]}, one output of each class for each sample."
            )
            assert bool(torch.isfinite(outputs).all()), "what it serves has numbers that are not finite."
            assert torch.equal(served(given), outputs), "the same samples got other answers the second time."
            assert torch.equal(given, before), "it changed the samples that it was asked about; work on a clone."

    def at_rate(self, rate: float) -> Mapping[str, Any]:
        """The options with a poison rate.

        Raises:
            SkipTest: the attack has none.
        """
        if self.rate not in self.attack.Options.model_fields:
            raise SkipTest(f"it has no option {self.rate!r}")
        return {**self.options, self.rate: rate}

    def _switched_off(self) -> Mapping[str, Any]:
        if self.harmless is not None:
            return {**self.options, **self.harmless}
        try:
            return self.at_rate(0.0)
        except SkipTest:
            raise SkipTest("the test does not know how to switch it off; set `harmless` to options that do") from None

    def _make(self, options: Mapping[str, Any] | None = None) -> Attack:
        given = self.options if options is None else options
        try:
            return self.attack.make(given, create_attack)
        except (PluginError, ValueError) as error:  # pydantic's are ValueErrors
            raise AssertionError(f"it cannot be created with {words(given)}: {error}") from error

    @classmethod
    def _job(cls) -> tuple[str, int]:
        """Which practice job it is tried on: the kind of its task, and how large samples are at least."""
        return cls.task, cls.attack.least_values

    @classmethod
    def _practice(cls) -> Practice:
        return shared_practice(*cls._job())

    @classmethod
    @cache
    def _delivered(cls) -> list[Tensors]:
        """What the attack delivers with its options; only looked at."""
        return cls._practice().train(cls()._make(), steps=STEPS, seed=SEED)

    def _begun(self, options: Mapping[str, Any]) -> Attack:
        """An attack at the start of the first sub-run."""
        made = self._make(options)
        made.begin(shared_attack_context(*self._job()))
        made.on_initial(dict(initial_checkpoint(*self._job())), 0)
        return made

    def _serves(self) -> tuple[Attack, Callable[[torch.Tensor], torch.Tensor]] | None:
        """The attack and what it serves of a model; None where that is the model itself."""
        made, answer = self._begun(self.options), answer_of(shared_attack_context(*self._job()).network)
        served = made.served(answer)
        return None if served is answer else (made, served)

    def _some_batches(self) -> Sequence[Batch]:
        return list(islice(self._practice().batches(), 4))

    def _count(self, given: Sequence[Batch], returned: Sequence[Batch]) -> tuple[int, int]:
        """How many samples were poisoned, and how many could have been seen to be.

        Where labels are changed, a sample counts whose label is another; one that has the target class anyhow shows
        nothing. Where no label is ever changed, a sample counts whose input is another.
        """
        target = self._begun(self.options).target
        unlike = -1 if target is None else target
        pairs = [pair for pair in zip(given, returned, strict=True) if len(pair[0].labels) == len(pair[1].labels)]
        relabelled = sum(int((before.labels != after.labels).sum()) for before, after in pairs)
        if relabelled:
            return relabelled, sum(int((before.labels != unlike).sum()) for before, _ in pairs)
        changed = sum(int((before.inputs != after.inputs).flatten(1).any(1).sum()) for before, after in pairs)
        return changed, sum(len(before.labels) for before, _ in pairs)

    def _assert_usable(self, inputs: torch.Tensor, otherwise: str) -> None:
        import torch

        network = shared_attack_context(*self._job()).network
        network.model.eval()
        try:
            with torch.inference_mode():
                outputs = network.model(network.prepare(inputs))
        except (RuntimeError, IndexError, ValueError, TypeError) as error:
            raise AssertionError(f"{otherwise}: {error}") from error
        assert bool(torch.isfinite(outputs).all()), f"{otherwise}: its outputs are not finite."

    def _assert_same(self, before: Batch, after: Batch, hook: str) -> None:
        for field in fields(Batch):
            same = bool((getattr(before, field.name) == getattr(after, field.name)).all())
            assert same, (
                f"{hook} changed the {field.name} that it was given; work on a clone and return "
                f"dataclasses.replace(batch, {field.name}=…)."
            )
