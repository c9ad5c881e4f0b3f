"""Cases 13 and 14: a step of training, and what comes after the last."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from vaebook.exercises.bug_clinic import patients
from vaebook.exercises.bug_clinic.case import AS_IT_CAME, Case
from vaebook.exercises.bug_clinic.script import step
from vaebook.exercises.record import Answer, Mistake

X = torch.tensor([[1.0, 2.0], [3.0, -1.0], [0.0, 4.0]]).double()
START = torch.tensor([2.0, -1.0]).double()


def normalised() -> nn.Module:
    """A net whose training mode looks at the batch: deterministic in both modes."""
    net = nn.Sequential(nn.BatchNorm1d(2), nn.Linear(2, 1)).double()
    with torch.no_grad():
        net[1].weight.fill_(0.5)
        net[1].bias.zero_()
    return net


def without_units() -> nn.Module:
    """Dropout that drops all: deterministic in both modes."""
    return nn.Sequential(nn.Dropout(1.0), nn.Flatten())


def said_by(net: nn.Module, x: Tensor) -> Tensor:
    """Dropout is for training: off for the question, then as before."""
    was_training = net.training
    net.eval()
    with torch.no_grad():
        found = net(x)
    net.train(was_training)
    return found


def left_in_eval(net: nn.Module, x: Tensor) -> Tensor:
    """A non-fix: right, once."""
    net.eval()
    with torch.no_grad():
        return net(x)


def without_dropout(net: nn.Module, x: Tensor) -> Tensor:
    """A non-fix: one kind of layer alone."""
    for layer in net:
        if isinstance(layer, nn.Dropout):
            layer.eval()
    with torch.no_grad():
        return net(x)


def asked_in_training(answer: Answer, net: nn.Module, x: Tensor) -> Tensor:
    """What it gives, then 1 if the net is in training mode as it was before."""
    net.train()
    found = answer(net, x)
    return torch.cat([found.flatten(), torch.tensor([float(net.training)]).to(found)])


def after_twenty_steps(answer: Answer, start: Tensor, rate: float) -> Tensor:
    """Where twenty steps of gradient descent lead on half a squared distance."""
    weight = start.clone().requires_grad_()
    optimizer = torch.optim.SGD([weight], lr=rate)
    for _ in range(20):
        answer(optimizer, lambda: 0.5 * weight.square().sum())
    return weight.detach()


def forgetful(optimizer: torch.optim.Optimizer, loss: Callable[[], Tensor]) -> Tensor:
    """A non-fix: the gradient is forgotten just before it is used."""
    value = loss()
    value.backward()
    optimizer.zero_grad()
    optimizer.step()
    return value.detach()


EVAL_MISSED = Case(
    name="bug_clinic.13",
    solution=said_by,
    inputs=((normalised(), X), (without_units(), X[:1])),
    trial=asked_in_training,
    meaning="No chance, and no neighbours, in an answer.",
    hint="What do dropout and batch normalisation do in training, and only there?",
    mistakes=(
        Mistake(AS_IT_CAME, patients.patient_13),
        Mistake(
            "Dropout is off, other layers still train: net.eval() reaches all.",
            without_dropout,
        ),
        Mistake(
            "Right, once; but the net was training, and now goes on without dropout.",
            left_in_eval,
        ),
    ),
    patient=patients.patient_13,
    fault="The net is still in training mode: dropout goes on while it is tested.",
    caught_by="tests/training/test_loop.py"
    "::test_nets_are_in_training_mode_only_while_they_train",
)

PILED_UP = Case(
    name="bug_clinic.14",
    solution=step,
    inputs=((START, 0.1), (START, 0.5)),
    trial=after_twenty_steps,
    meaning="Each step goes by the gradient of its own loss.",
    hint="backward adds to what is there. Who takes it away?",
    mistakes=(
        Mistake(AS_IT_CAME, patients.patient_14),
        Mistake("Now it is taken away before it is used.", forgetful),
    ),
    patient=patients.patient_14,
    fault="Gradients of all past steps are summed up. The step goes where the sum"
    " points, on past the minimum, and comes back only when that has been outweighed.",
    caught_by="tests/training/test_step.py::test_gradients_do_not_pile_up_over_steps",
)

CASES = (EVAL_MISSED, PILED_UP)
