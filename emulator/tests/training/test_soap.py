"""SOAP against what it is made of: Adam on vectors, Adam in a fixed basis, and what it is for."""

import copy

import pytest
import torch
from torch import nn

from emulator.training.optimisation import MAX_SIDE, REFRESH, SOAP, _refresh

pytestmark = pytest.mark.fast


def parameter(*shape, seed=0):
    return nn.Parameter(torch.randn(shape, generator=torch.Generator().manual_seed(seed)))


def steps(optimizer, weights, count, seed=1):
    generator = torch.Generator().manual_seed(seed)
    for _ in range(count):
        for weight in weights:
            weight.grad = torch.randn(weight.shape, generator=generator)
        optimizer.step()


@pytest.mark.parametrize("shape", [(7,), (), (2, 3, 4), (MAX_SIDE + 1, MAX_SIDE + 1)])
def test_what_is_no_matrix_is_updated_by_adam(shape):
    """PyTorch's AdamW, one gradient later, since the first one only sets up the state."""
    ours, theirs = parameter(*shape), parameter(*shape)
    soap = SOAP([ours], lr=0.1, betas=(0.9, 0.99), weight_decay=0.3)
    adam = torch.optim.AdamW([theirs], lr=0.1, betas=(0.9, 0.99), weight_decay=0.3)
    gradients = [parameter(*shape, seed=k).detach() for k in range(5)]
    for number, gradient in enumerate(gradients):
        ours.grad = gradient.clone()
        soap.step()
        if number == 0:
            assert torch.equal(ours, theirs)
        else:
            theirs.grad = gradient.clone()
            adam.step()
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)


def test_a_matrix_takes_adams_steps_in_the_basis_of_its_first_gradient():
    """Until the first refresh the bases stand still: the rotated matrix follows Adam on rotated
    gradients.
    """
    weight = parameter(4, 4)  # square: the basis of a singular factor is not unique
    gradients = [parameter(4, 4, seed=k).detach() for k in range(10, 10 + REFRESH)]
    left, right = (
        torch.linalg.eigh(factor)[1]
        for factor in (gradients[0] @ gradients[0].T, gradients[0].T @ gradients[0])
    )
    rotated = nn.Parameter((left.T @ weight @ right).detach())
    soap, adam = SOAP([weight], lr=0.05), torch.optim.Adam([rotated], lr=0.05, betas=(0.95, 0.95))
    for number, gradient in enumerate(gradients):
        weight.grad = gradient
        soap.step()
        if number:
            rotated.grad = left.T @ gradient @ right
            adam.step()
    torch.testing.assert_close(weight, left @ rotated @ right.T, rtol=1e-4, atol=1e-5)


def test_bases_turn_to_the_eigenvectors_of_the_factors():
    """Gradients of one covariance: after many refreshes the basis diagonalises the factor, in
    falling order.
    """
    weight = parameter(4, 6)
    optimizer, mixing = (
        SOAP([weight], lr=1e-3),
        torch.diag(torch.tensor([4.0, 2.0, 1.0, 0.5]))
        @ torch.linalg.qr(parameter(4, 4, seed=3).detach())[0],
    )
    generator = torch.Generator().manual_seed(2)
    for _ in range(60 * REFRESH):
        weight.grad = mixing.T @ torch.randn(4, 6, generator=generator)
        optimizer.step()
    state = optimizer.state[weight]
    inside = state["basis_0"].T @ (mixing.T @ mixing) @ state["basis_0"]
    assert float((inside - torch.diag(inside.diagonal())).abs().max()) < 0.15 * float(
        inside.diagonal().max()
    )
    assert (inside.diagonal()[1:] < inside.diagonal()[:-1]).all()
    torch.testing.assert_close(
        state["basis_0"].T @ state["basis_0"], torch.eye(4), rtol=0, atol=1e-5
    )


def test_second_moments_move_with_their_directions():
    state = {
        "factor_0": torch.diag(torch.tensor([1.0, 3.0, 2.0])),
        "basis_0": torch.eye(3),
        "square": torch.tensor([[1.0], [3.0], [2.0]]),
        "mean": torch.tensor([[0.1], [0.3], [0.2]]),
    }
    _refresh(state)
    assert state["square"].flatten().tolist() == [3, 2, 1]
    torch.testing.assert_close(state["mean"].abs(), torch.tensor([[0.3], [0.2], [0.1]]))
    assert torch.equal(state["basis_0"].abs(), torch.eye(3)[:, [1, 2, 0]])


def test_it_beats_adam_where_the_valley_lies_across_the_axes():
    """A quadratic in a matrix, conditioned 1e4 in a rotated basis: loss after the same number of
    steps, best of three rates.
    """
    left = torch.linalg.qr(parameter(12, 12, seed=4).detach())[0] * torch.logspace(0, -2, 12)
    right = torch.linalg.qr(parameter(8, 8, seed=5).detach())[0] * torch.logspace(0, -2, 8)

    def lowest(make):
        losses = []
        for rate in (0.003, 0.01, 0.03):
            weight = parameter(12, 8)
            optimizer = make([weight], lr=rate)
            for step in range(600):
                optimizer.param_groups[0]["lr"] = rate * (1 - step / 600)
                optimizer.zero_grad()
                loss = (left.T @ weight @ right).square().sum()
                loss.backward()
                optimizer.step()
            losses.append(float(loss.detach()))
        return min(losses)

    assert lowest(SOAP) < 0.1 * lowest(
        lambda *a, **k: torch.optim.AdamW(*a, **k, betas=(0.95, 0.95), weight_decay=0.0)
    )


def test_a_restored_state_goes_on_bit_by_bit(tmp_path):
    def network():
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(6, 5), nn.Linear(5, MAX_SIDE + 3)).requires_grad_()

    whole, broken = network(), network()
    first = SOAP(whole.parameters(), weight_decay=0.01)
    steps(first, list(whole.parameters()), REFRESH + 3)
    torch.save(first.state_dict(), tmp_path / "state.pt")
    broken.load_state_dict(copy.deepcopy(whole.state_dict()))
    second = SOAP(broken.parameters(), weight_decay=0.01)
    second.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    for optimizer, model in ((first, whole), (second, broken)):
        steps(optimizer, list(model.parameters()), 2 * REFRESH, seed=7)
    assert all(
        torch.equal(a, b) for a, b in zip(whole.parameters(), broken.parameters(), strict=True)
    )
    assert "basis_0" not in second.state[broken[1].weight]
    assert "basis_1" in second.state[broken[1].weight]


def test_parameters_without_a_gradient_are_left_alone():
    used, idle = parameter(3, 3), parameter(3, 3)
    before = idle.detach().clone()
    steps(optimizer := SOAP([used, idle], weight_decay=0.5), [used], 5)
    assert torch.equal(idle, before)
    assert idle not in optimizer.state


def test_a_gradient_of_zeros_is_no_trouble():
    weight = parameter(3, 4)
    before = weight.detach().clone()
    optimizer = SOAP([weight])
    for _ in range(REFRESH + 2):
        weight.grad = torch.zeros_like(weight)
        optimizer.step()
    assert torch.equal(weight, before)
