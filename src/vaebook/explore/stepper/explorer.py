r"""The EM stepper: a mixture fitted by half-steps, beside the bound that each lifts."""

from collections.abc import Mapping

import torch
import traitlets as t
from torch import Tensor

from vaebook.em import CollapsedComponentError, EmRun, GaussianMixture
from vaebook.explore.parts.bundle import bundle, stylesheet
from vaebook.explore.parts.constraints import (
    Constraint,
    at_least,
    obeying,
    points,
    within,
)
from vaebook.explore.parts.traits import constrained
from vaebook.explore.parts.widget import PicturedWidget
from vaebook.explore.stepper.maths import (
    LEAST_GAIN,
    LIMITS,
    MOST_COMPONENTS,
    PICTURE,
    fit_from,
    heights,
    shipped,
    start_from,
    until_collapse,
)
from vaebook.explore.stepper.still import stepper_still


class EmStepper(PicturedWidget):
    """EM on points in the plane, half-step by half-step, and the bound it climbs.

    The rings are the first means: drag one and a new run starts there. The second
    panel shows the log-likelihood and the bound along the line from the present
    parameters to those of the next M-step.

    Parameters
    ----------
    x : Tensor (N, 2)
        The data; finite.
    start : Tensor (K, 2)
        First means, K from 2 to 4; weights equal, covariances that of all of ``x``.
    num_steps : int
        The most iterations of a run; it ends before if one gains under 1e-4 nats.
    labels : two str
        Names and units of the columns.
    presets : dict of str to Tensor (K, 2), optional
        Other first means, offered as buttons.

    Attributes
    ----------
    means : K lists of 2 floats
        The first means. Reading gives where the reader moved them, setting moves them.
    step : int
        Half-steps taken after the first E-step, from 0 to 2 num_steps - 1; a run that
        ended before shows its last.
    run : EmRun
        The run from ``means``.

    Raises
    ------
    ValueError
        If the data or the means are not of this form; the message says what was
        received.
    CollapsedComponentError
        If a run that is shipped with the page collapses; from ``run``, if the present
        one does.
    """

    _esm = bundle("stepper/explorer.js")
    _css = stylesheet("parts/plot.css", "parts/sum.css", "stepper/explorer.css")

    means = t.List(t.List(t.Float())).tag(sync=True)
    step = t.Int(0).tag(sync=True)
    home = t.List(t.List(t.Float())).tag(sync=True)
    x = t.List(t.List(t.Float())).tag(sync=True)
    runs = t.List(t.Dict()).tag(sync=True)
    numbers = t.Bytes().tag(sync=True)
    num_steps = t.Int().tag(sync=True)
    least_gain = t.Float(LEAST_GAIN).tag(sync=True)
    labels = t.List(t.Unicode()).tag(sync=True)
    frame = t.Dict().tag(sync=True)
    limits = t.Dict(LIMITS).tag(sync=True)
    picture = t.Dict(PICTURE).tag(sync=True)

    def __init__(
        self,
        x: Tensor,
        start: Tensor,
        *,
        num_steps: int = 40,
        labels: tuple[str, str] = ("petal length, cm", "petal width, cm"),
        presets: Mapping[str, Tensor] | None = None,
    ) -> None:
        _check_data(x)
        obeying("num_steps", num_steps, at_least(1))
        self.data = x.detach().double()
        self.num_components = len(start)
        home = self._means("start", start)
        runs = self._runs({"": start, **(presets or {})}, num_steps)
        super().__init__(
            means=home,
            home=home,
            x=self.data.tolist(),
            num_steps=num_steps,
            labels=list(labels),
            frame=_frame(self.data, list(runs.values())),
            **shipped(self.data, runs),
        )

    def _runs(self, starts: Mapping[str, Tensor], num_steps: int) -> dict[str, EmRun]:
        """The run of each start; one given twice keeps its name."""
        means = {
            name: self._means(f"preset {name}" if name else "start", mu)
            for name, mu in starts.items()
        }
        if list(means.values()).count(means[""]) > 1:
            del means[""]
        return {name: fit_from(self.data, mu, num_steps) for name, mu in means.items()}

    def _means(self, name: str, start: Tensor) -> list[list[float]]:
        """First means as the page takes them, checked."""
        means = torch.as_tensor(start, dtype=torch.float64).tolist()
        return obeying(name, means, centres(self.num_components))

    @property
    def run(self) -> EmRun:
        """The run from the present means."""
        return fit_from(self.data, self.means, self.num_steps)

    def path(self) -> list[GaussianMixture]:
        """The mixtures of the present run, up to a collapse if there is one."""
        try:
            return self.run.path
        except CollapsedComponentError:
            return until_collapse(self.data, start_from(self.data, self.means))

    def snapshot(self) -> bytes:
        """Still picture of the present state, WebP."""
        return stepper_still(self.data, self.path(), self.step, self.labels)

    def describe(self) -> str:
        """Alt text of the snapshot."""
        path = self.path()
        number, half = divmod(min(self.step, max(2 * len(path) - 3, 0)), 2)
        log_lik, bound = heights(self.data, path[: number + 1 + half])
        reached, above = f"{bound[-1]:.1f}", f"{log_lik[-1]:.1f}"
        touches = f"touches it at {reached} nats"
        place = f"tops out at {reached} nats under {above}" if half else touches
        return (
            f"EM stepper, still picture: {len(self.x)} points by "
            f"{' and '.join(self.labels)}, coloured by the responsibilities of "
            f"{self.num_components} Gaussians drawn as ellipses; beside them, along "
            f"the step of iteration {number + 1}, the log-likelihood and the bound, "
            f"which {place}."
        )

    held = constrained(
        {
            "means": lambda self: centres(self.num_components),
            "step": lambda self: within(0, 2 * self.num_steps - 1),
        }
    )


def centres(count: int) -> Constraint:
    """As many means as there are components, 2 to 4."""
    means = points(count)
    return Constraint(
        f"finite, (K, 2) with the same K from 2 to {MOST_COMPONENTS} throughout",
        lambda values: 2 <= count <= MOST_COMPONENTS and means.holds(values),
    )


def _check_data(x: Tensor) -> None:
    if x.ndim != 2 or x.shape[1] != 2 or len(x) < 3 or not x.isfinite().all():
        raise ValueError(
            f"x must be finite, (N, 2) with N >= 3; received shape {tuple(x.shape)}, "
            f"{(~x.isfinite()).sum().item()} values not finite"
        )


def _frame(x: Tensor, runs: list[EmRun]) -> dict[str, list[float] | float]:
    """Ranges of the columns, widened, and the highest log-likelihood of the runs."""
    low, high = x.min(0).values, x.max(0).values
    margin = 0.15 * (high - low)
    across, up = torch.stack([low - margin, high + margin], 1).tolist()
    top = len(x) * max(run.objective[-1] for run in runs)
    return {"x": across, "y": up, "top": top}
