# %% [markdown]
# # Implicit l1-regularization on one problem
#
# The claims of Matt and Stöger, *Linear regression with overparameterized linear neural networks:
# Tight upper and lower bounds for implicit l1-regularization* (arXiv:2506.01143), on one problem,
# in the order in which one would ask. The assertions say what one should see.
#
# A linear network of depth D, x = u^D - v^D, is trained on A x = y by gradient flow from
# u(0) = v(0) = alpha^(1/D) 1, so that alpha is the scale of the predictor x.
#
# It runs in the environment of this repository as `PYTHONPATH=scripts python docs/tour.py`, and
# without PYTHONPATH where the package is installed; its cells are those of a notebook.

# %%
import matplotlib.pyplot as plt
import numpy as np

import implicit_l1

rng = np.random.default_rng(7)
A = rng.choice([-1.0, 1.0], size=(20, 60))
x0 = np.zeros(60)
x0[[5, 17, 42]] = 3.0, -2.0, 1.0
y = A @ x0  # integers: exact
noisy = y + 0.1 * np.linalg.norm(y) / np.sqrt(20) * rng.standard_normal(20)

# %% [markdown]
# ## The minimizer of the l1 norm
#
# Without noise it is x_0, and a dual vector proves that there is no other. With noise it has as
# many entries as there are equations.

# %%
minimizer = implicit_l1.find_minimizer(A, y)
print(minimizer.status, minimizer.support, minimizer.point[minimizer.support])
assert np.array_equal(minimizer.point, x0)
assert implicit_l1.find_minimizer(A, noisy).support.size == 20

# %% [markdown]
# ## rho, which decides the rate at D = 2
#
# It is less than 1 exactly where the minimizer is unique; noise brings it near 1.

# %%
rho = implicit_l1.find_null_space_constants(A, y).rho
noisy_rho = implicit_l1.find_null_space_constants(A, noisy).rho
print(f"rho = {rho:.4f}, with noise {noisy_rho:.4f}")
assert 0 < rho < noisy_rho < 1

# %% [markdown]
# ## Gradient flow ends near the minimizer
#
# The trajectory, and its end without any trajectory: the limit point is a convex problem.

# %%
flow = implicit_l1.integrate_flow(A, y, 3, alpha=1e-2)
limit = implicit_l1.find_limit_points(A, y, 3, alpha=1e-2)
assert np.allclose(flow.point[-1], limit.point[0], atol=1e-8)

figure, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
axes[0].semilogx(flow.time, flow.point)
axes[0].set(xlabel="time", ylabel="entries of x", title="gradient flow, D = 3, alpha = 0.01")

# %% [markdown]
# ## How near: alpha at D >= 3, alpha^(1 - rho) at D = 2
#
# Local slopes of the error against alpha. The last digits that floating point would take from
# x - g* are there: the error is computed by itself, at any alpha.

# %%
decades = np.linspace(-200.0, 0.0, 101)
for depth, rate in ((2, 1 - rho), (3, 1.0), (4, 1.0)):
    path = implicit_l1.find_limit_points(A, y, depth, log10_alpha=decades)
    slope = np.diff(path.log10_error_1)[0] / np.diff(decades)[0]
    print(f"D = {depth}: slope {slope:.6f} at alpha = 1e-200, predicted {rate:.6f}")
    assert abs(slope - rate) < 1e-6
    axes[1].plot(path.log10_alpha, path.log10_error_1, label=f"D = {depth}")
axes[1].set(xlabel="log10(alpha)", ylabel="log10 of the error", title="limit points")

# %% [markdown]
# ## Noise slows convergence at D = 2 down
#
# The rate 1 - rho is small, and D = 3 is better at scales that one would use.

# %%
errors = {
    depth: implicit_l1.find_limit_points(A, noisy, depth, alpha=[1e-3, 1e-9]).log10_error_1
    for depth in (2, 3)
}
print({depth: (10**error).tolist() for depth, error in errors.items()})
assert errors[3][1] < errors[2][1]
path = implicit_l1.find_limit_points(A, noisy, 2, log10_alpha=decades)
axes[1].plot(path.log10_alpha, path.log10_error_1, ":", label="D = 2, noise")
axes[1].legend()

# %% [markdown]
# ## Upper and lower bounds, and what the error tends to
#
# The bounds are this project's, computed from A and y; as alpha tends to 0 they come together at
# D = 2. So does the first-order law: its exponent and its constant need no alpha.

# %%
band = implicit_l1.bound_error(A, y, 2, log10_alpha=[-200, -10])
law = implicit_l1.find_first_order(A, y, 2)
print("upper over lower bound:", 10 ** (band.log10_upper - band.log10_lower))
assert np.all(band.log10_lower <= band.limit.log10_error_1)
assert np.all(band.limit.log10_error_1 <= band.log10_upper)
assert abs(law.log10_constant - 200 * law.exponent - band.limit.log10_error_1[0]) < 1e-6

# %% [markdown]
# ## Proved
#
# The same numbers as intervals that hold the exact ones, whatever machine computed them.

# %%
constants = implicit_l1.enclose_null_space_constants(A, y)
error = implicit_l1.enclose_limit_points(A, y, 2, log10_alpha=-200).error_1[0]
print("rho =", constants.rho.text(".20g"))
print("error at alpha = 1e-200:", error.text(".20g"))
assert constants.rho.lower <= constants.rho.upper <= constants.rho_tilde.upper
assert abs(float(error.lower.log10()) - band.limit.log10_error_1[0]) < 1e-9
