"""Writes test/fixtures/stats/*.json: what the statistics of src/stats must agree with.

Every value is computed by scipy 1.17 or newer, statsmodels or numpy, from fixed seeds; where none of them has
a method, it is counted out here in the plainest way. Run by hand when a method is added; the files are committed:

    python3 -m venv .cache/venv
    .cache/venv/bin/pip install 'scipy>=1.17' 'statsmodels>=0.14' 'numpy>=2'
    .cache/venv/bin/python scripts/stats-fixtures.py

scipy below 1.17 will not do: the t quantile of 1.10 is off by 1.7e-9.
"""

import itertools
import json
import math
from pathlib import Path

import numpy as np
import scipy
import statsmodels
from scipy import optimize, stats
from scipy.stats._resampling import BootstrapResult
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestIndPower, TTestPower
from statsmodels.stats.weightstats import ttost_ind, ttost_paired

FOLDER = Path(__file__).resolve().parent.parent / "test" / "fixtures" / "stats"
SEED = 20260417
NODES, WEIGHTS = np.polynomial.legendre.leggauss(60)

if tuple(int(part) for part in scipy.__version__.split(".")[:2]) < (1, 17):
    raise SystemExit(f"scipy {scipy.__version__} is too old: 1.17 or newer")


def rng(name):
    """A stream for each subject, so that a new one leaves the others' numbers as they were."""
    return np.random.default_rng([SEED, *name.encode()])


def write(name, cases):
    FOLDER.mkdir(parents=True, exist_ok=True)
    made = {"scipy": scipy.__version__, "statsmodels": statsmodels.__version__, "numpy": np.__version__}
    rows = {key: [plain(row) for row in value] for key, value in cases.items()}
    lines = [f'  "madeBy": {json.dumps(made)}']
    for key, value in rows.items():
        body = ",\n    ".join(json.dumps(row, allow_nan=False) for row in value)
        lines.append(f'  "{key}": [\n    {body}\n  ]')
    (FOLDER / f"{name}.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


def plain(value):
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        return value.item()
    return value


def rounded(values, digits=3):
    return [round(float(value), digits) for value in values]


def samples():
    """Pairs of samples as they come: even and uneven, near and far, few and many, one side constant."""
    draw = rng("samples")
    made = [
        ([159.98, 160.44, 160.91], [28.86, 27.21, 30.32]),
        ([503.0, 512.0, 498.0, 530.0, 505.0], [333.0, 420.0, 361.0, 350.0]),
        ([1.0, 2.0], [1.5, 7.25]),
        ([5.0, 5.0, 5.0], [4.0, 6.5, 5.75]),
        ([1e-9, 2e-9, 4e-9], [3e-9, 5e-9, 9e-9, 4e-9]),
        ([1e9 + 1, 1e9 + 2, 1e9 + 4], [1e9 + 3, 1e9 + 5, 1e9 + 9]),
    ]
    for first, second, shift in [(3, 3, 0.5), (5, 8, 1), (8, 30, 0.4), (12, 11, 0), (40, 25, 2), (135, 135, 0.1)]:
        made.append((rounded(draw.normal(50, 4, first)), rounded(draw.normal(50 + 4 * shift, 6, second))))
    return made


def noncentral_cdf(t, freedom, noncentrality):
    """E[Φ(t·S − δ)] by Gauss's quadrature, piece by piece around both places where the integrand turns.

    scipy's own noncentral t is off by 1e-10 to 3e-6 in its tails and NaN for large arguments, so it only has
    to agree roughly here.
    """

    def integrand(s):
        return stats.norm.cdf(t * s - noncentrality) * stats.chi.pdf(s * math.sqrt(freedom), freedom) * math.sqrt(freedom)

    top = 1 + 40 / math.sqrt(freedom)
    density = 1 + np.linspace(-12, 12, 25) / math.sqrt(2 * freedom)
    turn = [] if t == 0 else abs(noncentrality / t) + np.linspace(-9, 9, 19) / abs(t)
    edges = np.unique(np.clip(np.concatenate([[0, top], density, turn]), 0, top))
    half, middle = np.diff(edges)[:, None] / 2, (edges[1:] + edges[:-1])[:, None] / 2
    value = float((integrand(middle + half * NODES) * WEIGHTS * half).sum())
    theirs = stats.nct.cdf(t, freedom, noncentrality)
    if value > 1e-6 and math.isfinite(theirs) and abs(theirs / value - 1) > 1e-7:
        raise SystemExit(f"nct({t}, {freedom}, {noncentrality}): {value} by quadrature, {theirs} by scipy")
    return value


def noncentral_power(critical, freedom, noncentrality):
    lower = noncentral_cdf(-critical, freedom, noncentrality)
    return lower + noncentral_cdf(-critical, freedom, -noncentrality)


def distributions():
    ts = [-40, -6.5, -2, -0.3, 0, 0.7, 1.96, 3, 12]
    freedoms = [1, 2, 2.0172, 3.5245, 5, 10, 29.3, 200, 1e5]
    tails = [1e-12, 1e-8, 1e-4, 0.005, 0.025, 0.2, 0.5, 0.75, 0.975, 0.9995]
    noncentral = [
        {"t": t, "freedom": v, "noncentrality": d, "cdf": noncentral_cdf(t, v, d)}
        for v in [1, 2, 4, 10, 58, 268, 5000]
        for d in [-3, -0.4, 0.5, 2.8, 6, 20]
        for t in [-12.7, -2.1, 0, 1.97, 4.3, 25]
    ]
    write(
        "distributions",
        {
            "tCdf": [{"t": t, "freedom": v, "value": stats.t.cdf(t, v)} for v in freedoms for t in ts],
            "tQuantile": [{"p": p, "freedom": v, "value": stats.t.ppf(p, v)} for v in freedoms for p in tails],
            "normalCdf": [{"z": z, "value": stats.norm.cdf(z)} for z in [-30, -12, *ts[1:]]],
            "normalQuantile": [{"p": p, "value": stats.norm.ppf(p)} for p in [1e-300, 1e-50, *tails]],
            "binomialCdf": [
                {"k": k, "n": n, "p": p, "value": stats.binom.cdf(k, n, p)}
                for n, p in [(1, 0.5), (11, 0.5), (64, 0.1), (662, 0.01)]
                for k in sorted({0, 1, n // 3})
            ],
            "noncentralT": [row for row in noncentral if row["cdf"] > 1e-15],
        },
    )


def descriptions():
    """One sample at a time: its quantiles, its spread with the interval of its mean, and Tukey's fences."""
    draw = rng("descriptions")
    made = [
        [159.98, 160.44, 160.91],
        [28.86, 27.21, 30.32],
        [52.46, 52.46, 51.13, 52.5, 60, 52.4, 40],
        [3.1, -4.1, 5.9, 2.6, 5.3, 5.8, 9.7, 9.3, 2.4],
        [1e9 + 1, 1e9 + 2, 1e9 + 4],
        [7, 7, 7, 7],
        [-2.5],
    ]
    made += [rounded(draw.lognormal(3, 0.8, n)) for n in [2, 4, 5, 8, 30, 135]]
    shares = [0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1]
    rows = []
    for values in made:
        x = np.array(values, float)
        row = {"values": values, "mean": x.mean(), "shares": shares, "quantiles": np.quantile(x, shares)}
        if len(set(values)) > 1:
            error = x.std(ddof=1) / math.sqrt(len(x))
            row |= {
                "sd": x.std(ddof=1),
                "cvPct": stats.variation(x, ddof=1) * 100,
                "interval": stats.t.interval(0.95, len(x) - 1, x.mean(), error),
            }
        if len(x) >= 4:
            lower, upper = np.quantile(x, 0.25), np.quantile(x, 0.75)
            reach = 1.5 * stats.iqr(x)
            row |= {"fences": [lower - reach, upper + reach]}
        rows.append(row)
    write("descriptions", {"samples": rows})


def shares():
    """Shares of trials with their exact intervals, and how many values carry a percentile.

    The ends are quantiles of the beta distribution: binomtest's own search for them stops 5e-13 short, which is
    2.5e-9 of a small end.
    """

    def exact(hits, n, confidence):
        tail = (1 - confidence) / 2
        low = stats.beta.ppf(tail, hits, n - hits + 1) if hits > 0 else 0.0
        high = stats.beta.ppf(1 - tail, hits + 1, n - hits) if hits < n else 1.0
        theirs = stats.binomtest(hits, n).proportion_ci(confidence, method="exact")
        if max(abs(low - theirs.low), abs(high - theirs.high)) > 1e-11:
            raise SystemExit(f"{hits} of {n}: {low} to {high} by beta, {theirs} by binomtest")
        return [low, high]

    rows = []
    for hits, n in [(0, 3), (0, 15), (1, 135), (2, 9), (4, 4), (7, 20), (60, 61), (368, 2000)]:
        for confidence in [0.95, 0.99]:
            rows.append({"hits": hits, "n": n, "confidence": confidence, "interval": exact(hits, n, confidence)})
    clean = []
    for limit in [0.5, 0.1, 0.05, 0.01, 0.001]:
        n = 1
        while exact(0, n, 0.95)[1] > limit:
            n += 1
        clean.append({"limit": limit, "n": n})
    certificates = []
    for q in [0.01, 0.05, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999]:
        n = 2
        while stats.binom.sf(1, n, min(q, 1 - q)) < 0.99:
            n += 1
        certificates.append({"q": q, "needed": n})
    write("shares", {"proportions": rows, "withoutHit": clean, "certificates": certificates})


def two_samples():
    rows = []
    for first, second in samples():
        a, b = np.array(first), np.array(second)
        welch = stats.ttest_ind(a, b, equal_var=False)
        interval = welch.confidence_interval(0.95)
        wide = welch.confidence_interval(0.99)
        freedom = len(a) + len(b) - 2
        pooled = math.sqrt(((len(a) - 1) * a.var(ddof=1) + (len(b) - 1) * b.var(ddof=1)) / freedom)
        rank = stats.mannwhitneyu(a, b)
        tied = len(set(first + second)) < len(first) + len(second)
        exact = not tied and min(len(a), len(b)) <= 8
        rank = stats.mannwhitneyu(a, b, method="exact" if exact else "asymptotic", use_continuity=True)
        rows.append(
            {
                "first": first,
                "second": second,
                "statistic": welch.statistic,
                "freedom": welch.df,
                "p": welch.pvalue,
                "interval": list(interval),
                "interval99": list(wide),
                "d": (a.mean() - b.mean()) / pooled,
                "u1": rank.statistic,
                "rankP": rank.pvalue,
                "rankMethod": "exact" if exact else "normal",
            }
        )
    draw = rng("ties")
    ties = []
    for sizes in [(3, 3), (4, 6), (9, 9), (20, 15), (8, 60)]:
        a, b = (draw.integers(0, 6, size).tolist() for size in sizes)
        rank = stats.mannwhitneyu(a, b, method="asymptotic", use_continuity=True)
        ties.append({"first": a, "second": b, "u1": rank.statistic, "p": rank.pvalue})
    large = []
    for sizes in [(8, 8), (8, 200), (1, 30), (7, 1000)]:
        a, b = draw.normal(0, 1, sizes[0]), draw.normal(0.8, 1, sizes[1])
        rank = stats.mannwhitneyu(a, b, method="exact")
        large.append({"first": rounded(a, 9), "second": rounded(b, 9), "u1": rank.statistic, "p": rank.pvalue})
    write("two-samples", {"cases": rows, "ties": ties, "exactRanks": large})


def paired():
    draw = rng("paired")
    rows = []
    for n, shift in [(2, 3), (5, 1), (8, 0.3), (14, 0.6), (50, 0.2), (60, 0.1)]:
        differences = rounded(draw.normal(shift, 1.3, n), 4)
        t = stats.ttest_1samp(differences, 0)
        exact = n <= 50
        signed = stats.wilcoxon(differences, method="exact" if exact else "asymptotic", correction=not exact)
        positive = sum(1 for value in differences if value > 0)
        rows.append(
            {
                "differences": differences,
                "statistic": t.statistic,
                "p": t.pvalue,
                "interval": list(t.confidence_interval(0.95)),
                "signedRankSum": signed.statistic,
                "signedRankP": signed.pvalue,
                "signP": stats.binomtest(positive, n, 0.5).pvalue,
            }
        )
    ties = []
    for n in [6, 12, 40]:
        differences = [int(value) for value in draw.integers(-3, 6, n)]
        known = [value for value in differences if value != 0]
        signed = stats.wilcoxon(known, method="asymptotic", correction=True)
        positive = sum(1 for value in known if value > 0)
        ties.append(
            {
                "differences": differences,
                "signedRankSum": signed.statistic,
                "signedRankP": signed.pvalue,
                "signP": stats.binomtest(positive, len(known), 0.5).pvalue,
            }
        )
    write("paired", {"cases": rows, "ties": ties})


def permutations():
    def distance(a, b, axis=-1):
        return np.abs(np.mean(a, axis=axis) - np.mean(b, axis=axis))

    def size(a, axis=-1):
        return np.abs(np.mean(a, axis=axis))

    draw = rng("permutations")
    unpaired, signs = [], []
    for sizes in [(3, 3), (2, 5), (5, 5), (6, 9), (9, 9)]:
        # Whole numbers make equal sums, which is where a careless comparison loses arrangements.
        a, b = (draw.integers(0, 20, count).tolist() for count in sizes)
        result = stats.permutation_test(
            (a, b), distance, alternative="greater", n_resamples=np.inf, vectorized=True
        )
        unpaired.append({"first": a, "second": b, "p": result.pvalue})
    for n in [3, 7, 12, 15]:
        differences = draw.integers(-5, 12, n).tolist()
        result = stats.permutation_test(
            (differences,), size, alternative="greater", permutation_type="samples", n_resamples=np.inf, vectorized=True
        )
        signs.append({"differences": differences, "p": result.pvalue})
    write("permutations", {"unpaired": unpaired, "paired": signs})


def shifts():
    """Hodges and Lehmann, with the null distribution counted out over every order of the ranks."""

    def critical(counts, tail):
        total = sum(counts)
        k = below = 0
        while k < len(counts) and (below + counts[k]) / total <= tail + 1e-15:
            below += counts[k]
            k += 1
        return k, 1 - 2 * below / total

    draw = rng("shifts")
    unpaired, single = [], []
    for first, second, confidence in [(3, 3, 0.95), (3, 3, 0.9), (4, 5, 0.95), (6, 7, 0.95), (8, 6, 0.99), (2, 9, 0.8)]:
        a, b = rounded(draw.normal(10, 2, first)), rounded(draw.normal(8, 2, second))
        counts = [0] * (first * second + 1)
        for chosen in itertools.combinations(range(first + second), first):
            counts[sum(chosen) - first * (first - 1) // 2] += 1
        k, coverage = critical(counts, (1 - confidence) / 2)
        differences = sorted(x - y for x in a for y in b)
        row = {"first": a, "second": b, "confidence": confidence, "shift": float(np.median(differences))}
        if k > 0:
            row |= {"interval": [differences[k - 1], differences[-k]], "coverage": coverage}
        else:
            row |= {"widestCoverage": 1 - 2 * counts[0] / sum(counts)}
        unpaired.append(row)
    for n, confidence in [(4, 0.95), (6, 0.95), (10, 0.95), (12, 0.99)]:
        values = rounded(draw.normal(1, 2, n))
        counts = [0] * (n * (n + 1) // 2 + 1)
        for signs in itertools.product([0, 1], repeat=n):
            counts[sum(rank for rank, sign in enumerate(signs, 1) if sign)] += 1
        k, coverage = critical(counts, (1 - confidence) / 2)
        averages = sorted((values[i] + values[j]) / 2 for i in range(n) for j in range(i, n))
        row = {"differences": values, "confidence": confidence, "shift": float(np.median(averages))}
        if k > 0:
            row |= {"interval": [averages[k - 1], averages[-k]], "coverage": coverage}
        else:
            row |= {"widestCoverage": 1 - 2 * counts[0] / sum(counts)}
        single.append(row)
    write("shifts", {"unpaired": unpaired, "paired": single})


def equivalences():
    rows, pairs = [], []
    for first, second in samples():
        a, b = np.array(first), np.array(second)
        spread = np.concatenate([a, b]).std()
        for low, high in [(-0.5 * spread, 0.5 * spread), (-2 * spread, spread)]:
            p, lower, upper = ttost_ind(a, b, low, high, usevar="unequal")
            rows.append({"first": first, "second": second, "low": low, "high": high, "p": p, "pAboveLow": lower[1], "pBelowHigh": upper[1]})
    draw = rng("equivalences")
    for n in [3, 10, 30]:
        differences = rounded(draw.normal(0.2, 1, n))
        p, lower, upper = ttost_paired(np.array(differences), np.zeros(n), -0.8, 0.8)
        pairs.append({"differences": differences, "low": -0.8, "high": 0.8, "p": p, "pAboveLow": lower[1], "pBelowHigh": upper[1]})
    write("equivalences", {"unpaired": rows, "paired": pairs})


def families():
    draw = rng("families")
    made = [[0.01, 0.04, 0.03, 0.005], [0.02, 0.02, 0.02], [1.0, 0.9], [6.4e-5], draw.uniform(0, 0.2, 12).tolist()]
    rows = []
    for family in made:
        rejected, adjusted, _, _ = multipletests(family, alpha=0.05, method="holm")
        rows.append({"family": family, "adjusted": adjusted, "rejected": rejected})
    write("families", {"holm": rows})


def powers():
    independent, pairs = TTestIndPower(), TTestPower()
    detectable, power, needed = [], [], []
    for n in [2, 3, 4, 5, 6, 8, 15, 30, 135]:
        for alpha in [0.05, 0.01]:
            freedom = 2 * n - 2
            two = {"n": n, "alpha": alpha, "criticalD": stats.t.ppf(1 - alpha / 2, freedom) * math.sqrt(2 / n)}
            one = {"n": n, "alpha": alpha, "criticalD": stats.t.ppf(1 - alpha / 2, n - 1) / math.sqrt(n)}
            for row, design, test in [(two, "two-samples", independent), (one, "pairs", pairs)]:
                scale = math.sqrt(n / 2 if design == "two-samples" else n)
                v = freedom if design == "two-samples" else n - 1
                critical = stats.t.ppf(1 - alpha / 2, v)
                row["design"] = design
                delta = optimize.brentq(
                    lambda delta: noncentral_power(critical, v, delta) - 0.8, critical / 2, 4 * critical, xtol=1e-13, rtol=1e-13
                )
                row["detectableD"] = delta / scale
                size = {"nobs1": n} if design == "two-samples" else {"nobs": n}
                theirs = test.power(row["detectableD"], alpha=alpha, **size)
                if math.isfinite(theirs) and abs(theirs - 0.8) > 1e-7:
                    raise SystemExit(f"power at {row}: {theirs} by statsmodels")
                detectable.append(row)
                for d in [0.1, 0.5, 1.2, 3]:
                    value = noncentral_power(critical, v, d * scale)
                    power.append({"design": design, "n": n, "alpha": alpha, "d": d, "power": value})
    for d, wanted in [(0.2, 0.8), (0.5, 0.8), (0.8, 0.9), (1.5, 0.8), (4, 0.95), (0.05, 0.8)]:
        for design, test in [("two-samples", independent), ("pairs", pairs)]:
            n = 2
            while test.power(d, n, 0.05) < wanted:
                n += 1
            needed.append({"design": design, "d": d, "power": wanted, "n": n})
    write("powers", {"detectable": detectable, "power": power, "needed": needed})


def bootstraps():
    """The indices are in the file, so that replicates and interval can be compared to the last digits."""
    draw = rng("bootstraps")
    statistics = {"mean": np.mean, "median": np.median, "deviation": lambda x, axis=-1: np.std(x, ddof=1, axis=axis)}
    rows = []
    for name, values in [
        ("mean", rounded(draw.normal(50, 4, 9))),
        ("mean", rounded(draw.lognormal(3, 0.8, 12))),
        ("deviation", rounded(draw.lognormal(1, 0.6, 11))),
        ("median", rounded(draw.normal(10, 2, 15))),
    ]:
        indices = draw.integers(0, len(values), (400, len(values)))
        statistic = statistics[name]
        replicates = statistic(np.array(values)[indices], axis=-1)
        made = BootstrapResult(None, replicates, None)
        result = stats.bootstrap(
            (values,), statistic, n_resamples=0, bootstrap_result=made, method="BCa", confidence_level=0.95
        )
        rows.append(
            {
                "figure": name,
                "values": values,
                "indices": ["".join(chr(97 + place) for place in row) for row in indices],
                "interval": list(result.confidence_interval),
            }
        )
    strata = []
    first, second = rounded(draw.lognormal(3, 0.5, 8)), rounded(draw.lognormal(2.5, 0.7, 6))
    left, right = draw.integers(0, 8, (400, 8)), draw.integers(0, 6, (400, 6))

    def ratio(a, b, axis=-1):
        return np.mean(a, axis=axis) / np.mean(b, axis=axis)

    replicates = ratio(np.array(first)[left], np.array(second)[right])
    result = stats.bootstrap(
        (first, second), ratio, n_resamples=0, bootstrap_result=BootstrapResult(None, replicates, None), method="BCa"
    )
    strata.append(
        {
            "first": first,
            "second": second,
            "indices": ["".join(chr(97 + p) for p in [*a, *(b + 8)]) for a, b in zip(left, right)],
            "interval": list(result.confidence_interval),
        }
    )
    write("bootstraps", {"oneSample": rows, "ratios": strata})


def fits():
    """scipy's fits start from the truth and are driven to the last digits, so that both sides meet at the minimum."""

    def usl(n, gain, sigma, kappa):
        return gain * n / (1 + sigma * (n - 1) + kappa * n * (n - 1))

    def amdahl(n, gain, serial):
        return gain * n / (1 + serial * (n - 1))

    def decay(n, height, rate, floor):
        return height * np.exp(-rate * n) + floor

    draw = rng("fits")
    rows = []
    levels = np.array([1, 2, 4, 8, 16, 32], float)
    for name, model, truth, low, high, noise, repeats in [
        ("usl", usl, (160, 0.05, 7e-4), (0, 0, 0), (np.inf, 1, np.inf), 0.02, 3),
        ("usl", usl, (48, 0.3, 2e-3), (0, 0, 0), (np.inf, 1, np.inf), 0.05, 5),
        ("amdahl", amdahl, (90, 0.2), (0, 0), (np.inf, 1), 0.03, 4),
        ("amdahl", amdahl, (90, 0.9), (0, 0), (np.inf, 1), 0.03, 2),
        ("decay", decay, (12, 0.35, 2), (0, 0, 0), (np.inf, np.inf, np.inf), 0.02, 4),
    ]:
        n = np.repeat(levels, repeats)
        value = np.round(model(n, *truth) * (1 + draw.normal(0, noise, len(n))), 4)
        deviation = np.round(noise * model(n, *truth) * draw.uniform(0.7, 1.4, len(n)), 5)
        for weighted in [False, True]:
            sigma = deviation if weighted else np.ones(len(n))
            found, _ = optimize.curve_fit(
                model, n, value, p0=truth, sigma=sigma, absolute_sigma=False, bounds=(low, high),
                x_scale=np.array(truth), ftol=1e-15, xtol=1e-15, gtol=1e-15, jac="3-point",
            )
            # scipy's covariance rests on slopes by difference, off by 1e-6; a complex step has none of that error.
            step = 1e-30
            slopes = np.array([model(n, *(found + 1j * step * np.eye(len(found))[j])).imag / step for j in range(len(found))])
            squares = float((((value - model(n, *found)) / sigma) ** 2).sum())
            covariance = np.linalg.inv((slopes / sigma**2) @ slopes.T) * squares / (len(n) - len(found))
            rows.append(
                {
                    "model": name,
                    "inputs": n,
                    "values": value,
                    "weights": 1 / sigma**2,
                    "parameters": found,
                    "standardErrors": np.sqrt(np.diag(covariance)),
                    "weightedSquares": squares,
                }
            )
    write("fits", {"fits": rows})


for make in [
    distributions,
    descriptions,
    shares,
    two_samples,
    paired,
    permutations,
    shifts,
    equivalences,
    families,
    powers,
    bootstraps,
    fits,
]:
    make()
