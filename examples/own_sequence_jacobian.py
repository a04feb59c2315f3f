"""A real business cycle model written with sequence-jacobian, as a world of one's own.

    emulator worlds check examples/own_sequence_jacobian.py:rbc
    emulator irf examples/own_sequence_jacobian.py:rbc --set rho_z=0.95 --plot
    emulator generate --world examples/own_sequence_jacobian.py:rbc --n_samples 2000 --workers 2

Needs the extra [hank].
"""

from sequence_jacobian import create_model, simple

from emulator.worlds import sequence_jacobian


@simple
def firm(K, L, Z, alpha, delta):
    r = alpha * Z * (K(-1) / L) ** (alpha - 1) - delta
    w = (1 - alpha) * Z * (K(-1) / L) ** alpha
    Y = Z * K(-1) ** alpha * L ** (1 - alpha)
    return r, w, Y


@simple
def household(K, L, w, eis, frisch, vphi, delta):
    C = (w / vphi / L ** (1 / frisch)) ** eis
    I = K - (1 - delta) * K(-1)  # noqa: E741
    return C, I


@simple
def clearing(r, C, Y, I, eis, beta):  # noqa: E741
    goods = Y - C - I
    euler = C ** (-1 / eis) - beta * (1 + r(+1)) * C(+1) ** (-1 / eis)
    return goods, euler


rbc = sequence_jacobian.world(
    create_model([firm, household, clearing], name="rbc_blocks"),
    calibration={"L": 1.0, "frisch": 1.0},
    unknowns=["K", "L"],
    targets=["goods", "euler"],
    steady_unknowns={"vphi": 0.92, "beta": 0.99, "K": 2.0, "Z": 1.0},
    steady_targets={"goods": 0.0, "r": 0.01, "euler": 0.0, "Y": 1.0},
    solver="hybr",
    shocks={"technology": ("Z", "rho_z", 0.01)},
    parameters={
        "alpha": (0.1, 0.4),
        "delta": (0.02, 0.03),
        "eis": (0.5, 1.5),
        "rho_z": (0.5, 0.95),
    },
    observables={
        "output": ("Y", "percent"),
        "consumption": ("C", "percent"),
        "hours": ("L", "percent"),
        "real_rate": ("r", "annualised percentage points"),
    },
)
