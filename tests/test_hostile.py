"""Many threads, forks, other processes, Ctrl-C, long runs: what a law meets outside a notebook."""

from __future__ import annotations

import concurrent.futures
import os
import pickle
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import freeconv as fc
from freeconv import engine

PATIENCE = 2.0
"""Seconds of the processor's time, which a busy machine does not stretch, that a call may take after Ctrl-C: ten times
what it takes, and a fifth of what each of those in the test would take to its end."""

CHUNK_SLACK = 32 * 2**20
"""Bytes that may come and go while chunk after chunk of a long grid is evaluated; the whole of it has 800 MB."""


def network() -> fc.Law:
    """A law with atoms, gaps and a solver that takes some time to build."""
    return fc.MLP(5, "hard_tanh", weights="orthogonal", weight_variance=1.1, bias_variance=0.02).ntk()


def grid(law: fc.Law, points: int) -> NDArray[np.float64]:
    support = law.support()
    return np.linspace(support[0, 0] - 0.1, support[-1, 1] + 0.1, points)


FIELDS = ("density", "cdf", "status", "residual", "iterations", "accuracy")


@pytest.mark.parametrize("workers", [2, 3, 16, -1])
def test_no_bit_depends_on_the_number_of_workers(workers: int) -> None:
    law = network()
    x = grid(law, 10_007)
    alone, shared = law.evaluate(x), law.evaluate(x, workers=workers)
    for field in FIELDS:
        assert getattr(alone, field).tobytes() == getattr(shared, field).tobytes(), field
    p = np.linspace(0.0, 1.0, 4099)
    assert law.quantile(p).tobytes() == law.quantile(p, workers=workers).tobytes()
    assert law.density(x, workers=workers).tobytes() == law.density(x).tobytes()
    assert law.cdf(x, workers=workers).tobytes() == law.cdf(x).tobytes()


@pytest.mark.parametrize(
    ("workers", "error"), [(0, ValueError), (-2, ValueError), (1.0, TypeError), ("2", TypeError), (True, TypeError)]
)
def test_workers_are_a_positive_integer_or_all(workers: Any, error: type[Exception]) -> None:
    law = fc.Semicircle()
    calls: list[Callable[[], object]] = [
        lambda: law.density(0.0, workers=workers),
        lambda: law.cdf(0.0, workers=workers),
        lambda: law.evaluate(0.0, workers=workers),
        lambda: law.quantile(0.5, workers=workers),
    ]
    for call in calls:
        with pytest.raises(error, match=f"workers must be an integer >= 1 or -1, got {workers!r}"):
            call()


def test_many_threads_on_one_law() -> None:
    law = network()
    x = grid(law, 2000)
    p = np.linspace(0.0, 1.0, 500)
    wanted = (law.density(x).tobytes(), law.cdf(x).tobytes(), law.quantile(p).tobytes(), law.cauchy(x + 1j).tobytes())
    engine.solver.cache_clear()  # so that the threads build it, too
    ready = threading.Barrier(8)

    def work(_: int) -> tuple[bytes, ...]:
        ready.wait()
        return law.density(x).tobytes(), law.cdf(x).tobytes(), law.quantile(p).tobytes(), law.cauchy(x + 1j).tobytes()

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert set(pool.map(work, range(8))) == {wanted}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_of_a_fork_goes_on() -> None:
    # In a process of its own, since pytest may have threads; the parent has used workers before it forks.
    script = """
        import os, sys
        import numpy as np
        import freeconv as fc
        law = fc.MLP(3, "relu", weight_variance=2.0).jacobian()
        x = np.linspace(0.01, 16.0, 50_000)
        wanted = law.density(x, workers=2).tobytes()
        child = os.fork()
        if child == 0:
            os._exit(0 if law.density(x, workers=2).tobytes() == wanted else 1)
        assert law.density(x, workers=2).tobytes() == wanted
        sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    """
    run(script)


def test_pickles_give_the_same_bits_in_another_process(tmp_path: Path) -> None:
    law = network()
    x = grid(law, 300)
    file = tmp_path / "law.pickle"
    file.write_bytes(
        pickle.dumps((law, x, law.cdf(x), law.singular_values(), law.compile(), hash(law.evaluate(1.0).density)))
    )
    script = f"""
        import pickle
        law, x, cdf, singular, compiled, _ = pickle.load(open({str(file)!r}, "rb"))
        assert law.cdf(x).tobytes() == cdf.tobytes()
        assert singular.cdf(1.2) == law.cdf(1.2 ** 2)
        assert abs(compiled.cdf(x) - cdf).max() <= compiled.error
    """
    run(script)


CALLS = {
    "evaluate": "kernel.evaluate(np.linspace(1.4, 3500.0, 5_000_000))",
    "density, two workers": "kernel.density(np.linspace(1.4, 3500.0, 5_000_000), workers=2)",
    "densities": "fc.densities([product] * 400, np.random.default_rng(0).random(100_000))",
    "quantile": "kernel.quantile(np.random.default_rng(0).random(7_000_000))",
    "cauchy": "law.cauchy(np.linspace(0.1, 16.0, 1_200_000) + 1e-3j)",
    "r_transform": "law.r_transform(np.linspace(0.0, 0.05, 400_000))",
    "log_potential": "law.log_potential(np.linspace(17.0, 30.0, 1_000_000))",
    "set-up": "deep.density(1.0)",
    "compiled": "while True: compiled.density(np.linspace(0.0, 16.0, 10_000_000), workers=2)",
}


@pytest.mark.skipif(sys.platform == "win32", reason="needs os.kill with SIGINT")
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_control_c_ends_a_long_call(call: str) -> None:
    script = f"""
        import os, signal, threading, time
        import numpy as np
        import freeconv as fc

        def hard_tanh(depth):
            variances = 1.1 + 0.5 * np.random.default_rng(0).random(depth)
            return fc.MLP(depth, "hard_tanh", weight_variance=list(variances), bias_variance=0.02)

        law = fc.MLP(3, "relu", weight_variance=2.0).jacobian()
        compiled = law.compile()
        kernel = fc.MLP(40, "relu", weight_variance=2.0).ntk()
        kernel.quantile(0.7)
        product = hard_tanh(400).jacobian()
        deep = hard_tanh(1500).ntk()
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
        sent = []
        def interrupt():
            sent.append(time.process_time())
            os.kill(os.getpid(), signal.SIGINT)
        timer = threading.Timer(0.5, interrupt)
        timer.start()
        try:
            {call}
        except KeyboardInterrupt:
            print(time.process_time() - sent[0])
    """
    assert float(run(script)) < PATIENCE


def test_a_long_grid_in_chunks_takes_no_more_memory_than_one_chunk() -> None:
    pytest.importorskip("resource")
    # In a process of its own, whose peak no other test has raised.
    script = """
        import resource
        import numpy as np
        import freeconv as fc
        law = fc.MLP(3, "relu", weight_variance=2.0).jacobian()
        x = np.linspace(17.0, 20.0, 1_000_000)  # off the support: fast, and the memory is the same
        law.density(x)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        for _ in range(100):
            law.density(x)
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before)
    """
    assert int(run(script)) < CHUNK_SLACK


@pytest.mark.parametrize("order", ["read-only", "strided", "reversed", "fortran", "foreign bytes"])
def test_any_array_will_do(order: str) -> None:
    law = network()
    x = grid(law, 64).reshape(8, 8)
    given = {
        "read-only": x.copy(),
        "strided": np.repeat(x, 3, axis=1)[:, ::3],
        "reversed": x[::-1].copy()[::-1],
        "fortran": np.asfortranarray(x),
        "foreign bytes": x.astype(x.dtype.newbyteorder()),
    }[order]
    given.setflags(write=False)
    kept = given.copy()
    assert law.density(given).tobytes() == law.density(x).tobytes()
    assert law.cdf(given).tobytes() == law.cdf(x).tobytes()
    assert law.log_potential(given).tobytes() == law.log_potential(x).tobytes()
    assert np.array_equal(given, kept)


ENDS = [5e-324, -5e-324, 1e-310, 2.3e-308, 1e-289, 1e300, -1e300, 1.7e308, np.inf, -np.inf]


@pytest.mark.parametrize("x", ENDS)
def test_values_at_the_ends_of_the_doubles(x: float) -> None:
    square = fc.MarchenkoPastur()
    for law in (network(), square, fc.boxplus(fc.Uniform(-1.0, 1.0), fc.Semicircle()), fc.Arcsine(0.0, 1.0)):
        found = law.evaluate(x)
        if found.status == fc.Status.UNCERTIFIED:  # too near to a hard edge for the core, which says so
            assert law == square
            assert 0.0 < x < 1e-290
            with pytest.raises(fc.ConvergenceError):
                law.log_potential(x)
            continue
        assert found.status in (fc.Status.CERTIFIED, fc.Status.OUTSIDE, fc.Status.RECOVERED)
        assert found.density >= 0.0
        assert found.cdf == float(x > 0.0) if abs(x) > 1.0 else 0.0 <= found.cdf <= 1.0
        potential = law.log_potential(x)
        assert potential == np.inf if np.isinf(x) else np.isfinite(potential)


def run(script: str) -> str:
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, f"{done.stderr} after {time.perf_counter() - start:.1f} s"
    return done.stdout
