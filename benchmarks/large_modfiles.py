"""Large `.mod` files, and what compiling and solving them costs.

    python benchmarks/large_modfiles.py write COUNTRIES [--output world.mod]
    python benchmarks/large_modfiles.py time [--countries 1 3 10 35]

A country is a nonlinear model of the size of Smets and Wouters (2007): habits, capital with
adjustment costs and utilisation, prices and wages after Calvo with indexation, seven shocks; 40
equations. Countries trade with their neighbours on a ring. `time` loads and solves each file with
an empty cache, in a process of its own, and prints processor seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

NEIGHBOURS = 4

PARAMETERS = (
    "beta = 0.99; sig = 1.4; hab = 0.7; nu = 1.8; delta = 0.025; alp = 0.3; kap = 5; zet = 0.8;"
    " ep = 6; ew = 6; ip = 0.3; iw = 0.5; gy = 0.18; om = 0.1; nss = 0.33; rr = 0.8; rpi = 1.7;"
    " ry = 0.12;"
)
VARIABLES = """
lam c R pi q rk u inv k ks f h w ws n y disp mc x v ps g nx yw dy dc di dw po ro real share prof za
zb zm zg zr zp zw
"""
SHOCKS = ("a", "b", "m", "g", "r", "p", "w")

EQUATIONS = """
lam{i} = zb{i}*(c{i} - hab*c{i}(-1))^(-sig) - beta*hab*zb{i}(+1)*(c{i}(+1) - hab*c{i})^(-sig);
lam{i} = beta*R{i}*lam{i}(+1)/pi{i}(+1);
lam{i}*q{i} = beta*lam{i}(+1)*(rk{i}(+1)*u{i}(+1) - rks*(exp(zet*(u{i}(+1) - 1)) - 1)/zet
    + (1 - delta)*q{i}(+1));
rk{i} = rks*exp(zet*(u{i} - 1));
1 = q{i}*zm{i}*(1 - kap/2*(inv{i}/inv{i}(-1) - 1)^2 - kap*(inv{i}/inv{i}(-1) - 1)*inv{i}/inv{i}(-1))
    + beta*q{i}(+1)*lam{i}(+1)/lam{i}*zm{i}(+1)*kap*(inv{i}(+1)/inv{i} - 1)*(inv{i}(+1)/inv{i})^2;
k{i} = (1 - delta)*k{i}(-1) + zm{i}*(1 - kap/2*(inv{i}/inv{i}(-1) - 1)^2)*inv{i};
ks{i} = u{i}*k{i}(-1);
f{i} = ws{i}^(1 - ew)*lam{i}*w{i}^ew*n{i}
    + thw{i}*beta*(pi{i}(+1)/pi{i}^iw)^(ew - 1)*(ws{i}(+1)/ws{i})^(ew - 1)*f{i}(+1);
h{i} = chi*(w{i}/ws{i})^(ew*(1 + nu))*n{i}^(1 + nu)
    + thw{i}*beta*(pi{i}(+1)/pi{i}^iw*ws{i}(+1)/ws{i})^(ew*(1 + nu))*h{i}(+1);
f{i} = ew/(ew - 1)*exp(zw{i})*h{i};
w{i}^(1 - ew) = thw{i}*(pi{i}(-1)^iw/pi{i})^(1 - ew)*w{i}(-1)^(1 - ew)
    + (1 - thw{i})*ws{i}^(1 - ew);
y{i}*disp{i} = za{i}*ks{i}^alp*n{i}^(1 - alp);
mc{i} = w{i}^(1 - alp)*rk{i}^alp/(za{i}*alp^alp*(1 - alp)^(1 - alp));
ks{i}/n{i} = alp/(1 - alp)*w{i}/rk{i};
x{i} = lam{i}*mc{i}*y{i} + thp{i}*beta*(pi{i}^ip/pi{i}(+1))^(-ep)*x{i}(+1);
v{i} = lam{i}*ps{i}*y{i} + thp{i}*beta*(pi{i}^ip/pi{i}(+1))^(1 - ep)*ps{i}/ps{i}(+1)*v{i}(+1);
ep*x{i}*exp(zp{i}) = (ep - 1)*v{i};
1 = thp{i}*(pi{i}(-1)^ip/pi{i})^(1 - ep) + (1 - thp{i})*ps{i}^(1 - ep);
disp{i} = (1 - thp{i})*ps{i}^(-ep) + thp{i}*(pi{i}(-1)^ip/pi{i})^(-ep)*disp{i}(-1);
R{i}*beta = (R{i}(-1)*beta)^rr*(pi{i}^rpi*(y{i}/y{i}(-1))^ry)^(1 - rr)*exp(zr{i});
y{i} = c{i} + inv{i} + g{i} + rks*(exp(zet*(u{i} - 1)) - 1)/zet*k{i}(-1) + nx{i};
g{i} = gy*yss*exp(zg{i});
nx{i} = om*(yw{i} - y{i});
yw{i} = {abroad};
dy{i} = 100*log(y{i}/y{i}(-1));
dc{i} = 100*log(c{i}/c{i}(-1));
di{i} = 100*log(inv{i}/inv{i}(-1));
dw{i} = 100*log(w{i}/w{i}(-1));
po{i} = 400*log(pi{i});
ro{i} = 400*log(R{i});
real{i} = R{i}/pi{i}(+1);
share{i} = w{i}*n{i}/y{i};
prof{i} = y{i} - w{i}*n{i} - rk{i}*ks{i};
log(za{i}) = 0.95*log(za{i}(-1)) + ea{i};
log(zb{i}) = 0.6*log(zb{i}(-1)) + eb{i};
log(zm{i}) = 0.7*log(zm{i}(-1)) + em{i};
zg{i} = 0.9*zg{i}(-1) + eg{i} + 0.5*ea{i};
zr{i} = 0.2*zr{i}(-1) + er{i};
zp{i} = 0.8*zp{i}(-1) + epm{i};
zw{i} = 0.8*zw{i}(-1) + ewm{i};
"""

STEADY = """
rks = 1/beta - 1 + delta; mcs = (ep - 1)/ep;
wss = (mcs*alp^alp*(1 - alp)^(1 - alp)/rks^alp)^(1/(1 - alp));
kss = alp/(1 - alp)*wss/rks*nss; yss = kss^alp*nss^(1 - alp);
css = yss*(1 - gy) - delta*kss;
lss = (1 - beta*hab)*(css*(1 - hab))^(-sig);
chi = (ew - 1)/ew*wss*lss/nss^nu;
"""

STEADY_OF_COUNTRY = """
pi{i} = 1; ps{i} = 1; disp{i} = 1; R{i} = 1/beta; q{i} = 1; u{i} = 1; rk{i} = rks; mc{i} = mcs;
w{i} = wss; ws{i} = wss; n{i} = nss; ks{i} = kss; k{i} = kss; y{i} = yss; yw{i} = yss;
inv{i} = delta*kss; g{i} = gy*yss; c{i} = css; nx{i} = 0; lam{i} = lss;
f{i} = wss*lss*nss/(1 - thw{i}*beta); h{i} = chi*nss^(1 + nu)/(1 - thw{i}*beta);
x{i} = lss*mcs*yss/(1 - thp{i}*beta); v{i} = lss*yss/(1 - thp{i}*beta);
dy{i} = 0; dc{i} = 0; di{i} = 0; dw{i} = 0; po{i} = 0; ro{i} = 400*log(1/beta);
real{i} = 1/beta; share{i} = wss*nss/yss; prof{i} = yss - wss*nss - rks*kss;
za{i} = 1; zb{i} = 1; zm{i} = 1; zg{i} = 0; zr{i} = 0; zp{i} = 0; zw{i} = 0;
"""


def text_of(countries: int) -> str:
    """A world of so many countries."""
    places = range(countries)
    variables = VARIABLES.split()
    shocks = [f"e{name}{'m' if name in 'pw' else ''}" for name in SHOCKS]
    model, steady, values, sizes = [], [], [], []
    for i in places:
        others = sorted({(i + k) % countries for k in range(1, NEIGHBOURS + 1)} - {i}) or [i]
        abroad = f"({' + '.join(f'y{j}' for j in others)})/{len(others)}"
        model.append(EQUATIONS.replace("{abroad}", abroad).replace("{i}", str(i)))
        steady.append(STEADY_OF_COUNTRY.replace("{i}", str(i)))
        values.append(f"thp{i} = {0.6 + 0.2 * i / countries:.4f}; thw{i} = 0.7;")
        sizes += [f"var {name}{i}; stderr 0.01;" for name in shocks]
    blocks = [
        "var " + " ".join(f"{name}{i}" for i in places for name in variables) + ";",
        "varexo " + " ".join(f"{name}{i}" for i in places for name in shocks) + ";",
        "parameters beta sig hab nu delta alp kap zet ep ew ip iw gy om nss rr rpi ry rks mcs wss"
        " kss yss css lss chi " + " ".join(f"thp{i} thw{i}" for i in places) + ";",
        PARAMETERS,
        *values,
        "model;",
        *model,
        "end;",
        "steady_state_model;",
        STEADY,
        *steady,
        "end;",
        "steady;",
        "shocks;",
        *sizes,
        "end;",
        "stoch_simul(order=1, irf=20);",
    ]
    return "\n".join(blocks) + "\n"


MEASURED = """
import json, sys, time
from emulator.modfile import load
import emulator.modfile.compiling.load as loading
started = time.process_time()
file = loading.parse(sys.argv[1])
read = time.process_time()
model = load(sys.argv[1])
loaded = time.process_time()
theta = model.theta()
steady = model.steady_state(theta)
matrices = model.matrices(theta)
placed = time.process_time()
status = int(model.solve(theta).status[0])
solved = time.process_time()
reading = read - started
seconds = [reading, loaded - read - reading, placed - loaded, solved - placed]
print(json.dumps([len(model.all_variables), status, *seconds]))
"""


def measure(countries: int) -> list[float]:
    """[variables, status, processor seconds of reading, compiling, steady state and matrices,
    solving].
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "world.mod"
        path.write_text(text_of(countries))
        done = subprocess.run(
            [sys.executable, "-c", MEASURED, str(path)],
            env=os.environ | {"EMULATOR_CACHE": folder},
            capture_output=True,
            text=True,
            check=True,
        )
    row: list[float] = json.loads(done.stdout)
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    actions = parser.add_subparsers(dest="action", required=True)
    write = actions.add_parser("write")
    write.add_argument("countries", type=int)
    write.add_argument("--output", type=Path)
    clock = actions.add_parser("time")
    clock.add_argument("--countries", type=int, nargs="+", default=[1, 3, 10, 35])
    arguments = parser.parse_args()
    if arguments.action == "write":
        text = text_of(arguments.countries)
        if arguments.output:
            arguments.output.write_text(text)
        else:
            print(text)
        return
    print("countries  variables  status  reading  compiling  steady state  solving  all (CPU s)")
    for countries in arguments.countries:
        variables, status, *seconds = measure(countries)
        cells = [*seconds, sum(seconds)]
        print(
            f"{countries:9d}  {variables:9.0f}  {status:6.0f}  "
            + "  ".join(f"{value:.2f}" for value in cells),
            flush=True,
        )


if __name__ == "__main__":
    main()
