import numpy as np
import pytest

from services.kpi.distributions import StudentMixture, t_cdf, t_quantile


@pytest.mark.parametrize(
    ("df", "quantile"),
    [(1, 12.706205), (2, 4.302653), (10, 2.228139), (30, 2.042272), (59, 2.000995), (120, 1.979930), (1000, 1.962339)],
)
def test_quantiles_are_those_of_the_printed_t_table(df: float, quantile: float) -> None:
    """The 97.5 % points of Student's t are those of the tables, with few and with many degrees of freedom."""
    assert t_quantile(0.975, df) == pytest.approx(quantile, abs=1e-6)


def test_the_distribution_function_reaches_its_ends() -> None:
    """P(T <= t) is 0, one half and 1 at minus infinity, zero and infinity."""
    assert t_cdf(np.array([-np.inf, 0.0, np.inf]), 7).tolist() == pytest.approx([0.0, 0.5, 1.0], abs=1e-12)


def test_two_distant_parts_keep_their_weights() -> None:
    """In a mixture of 10 % far left and 90 % far right, the 5 % point is the median of the left part."""
    mixture = StudentMixture(np.array([0.1, 0.9]), np.array([-1000.0, 1000.0]), np.ones(2), 5)
    assert mixture.quantile(0.05) == pytest.approx(-1000.0, abs=1e-6)
    assert mixture.mean == pytest.approx(800.0)
    assert mixture.sd == pytest.approx(600.0013889, abs=1e-6)
