"""Every row of the case table: through git's own hooks always, through both runners in the full run."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.large_model_files.lab import GATEPOST, ONE, Lab, Templates
from tests.large_model_files.rows import ROWS, Row

# Rows that differ by runner: what it stashes, which stages it has, what it tells of a push. The rest is `full`.
THROUGH_RUNNERS = {"01", "03", "04", "20", "40", "45", "50", "66", "91", "93", "100", "102", "104", "111", "120", "122"}
RUNNERS = ["pre-commit", "prek"] if sys.version_info >= (3, 11) else ["prek"]  # pre-commit 4.7 needs Python 3.11


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    return Templates(tmp_path_factory.mktemp("templates"))


def by_runner() -> list[object]:
    return [
        pytest.param(
            row, runner, id=f"{row.number}-{runner}", marks=() if row.number in THROUGH_RUNNERS else pytest.mark.full
        )
        for row in ROWS
        for runner in RUNNERS
    ]


def test_the_table_is_whole() -> None:
    assert len(ROWS) == 90
    assert len({row.number for row in ROWS}) == 90


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.number)
def test_with_gits_own_hooks(row: Row, tmp_path: Path, templates: Templates) -> None:
    lab = Lab(tmp_path, templates, GATEPOST["git"], *row.init)
    assert row.action(lab) == row.wanted, f"{row.title}\n{lab.out}"
    assert ("error[MF" in lab.out) == (row.wanted == "block"), lab.out


@pytest.mark.parametrize(("row", "runner"), by_runner())
def test_with_a_runner(row: Row, runner: str, tmp_path: Path, templates: Templates) -> None:
    lab = Lab(tmp_path, templates, GATEPOST[runner], *row.init)
    wanted = "pass" if row.native else row.odd.get(runner, row.wanted)
    assert row.action(lab) == wanted, f"{row.title}\n{lab.out}"
    assert ("error[MF" in lab.out) == (wanted == "block"), lab.out


@pytest.mark.parametrize(("row", "runner"), by_runner())
def test_as_a_part_of_the_one_id(row: Row, runner: str, tmp_path: Path, templates: Templates) -> None:
    lab = Lab(tmp_path, templates, ONE[runner], *row.init)
    wanted = "pass" if row.native else row.odd.get(runner, row.wanted)
    assert row.action(lab) == wanted, f"{row.title}\n{lab.out}"
    assert ("error[MF" in lab.out) == (wanted == "block"), lab.out
